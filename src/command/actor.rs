//! Who does what a command does: named, or the user of the operating system.
//!
//! Before: commands that people answer for. After: the column that says who.

use anyhow::Context;

/// Who does it.
#[derive(Debug, clap::Args)]
pub struct Actor {
    /// Who does it; without it, the user of the operating system
    #[arg(long, value_name = "NAME", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    actor: Option<String>,
}

impl Actor {
    /// The name.
    ///
    /// # Errors
    /// None is given and the system knows none.
    pub fn name(&self) -> anyhow::Result<String> {
        match &self.actor {
            Some(name) => Ok(name.clone()),
            None => whoami::username().context("the system does not say who asks: say --actor"),
        }
    }
}
