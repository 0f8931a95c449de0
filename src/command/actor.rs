//! The person who runs a command: as named, or the user of the operating system.
//!
//! Before: commands that are recorded with a person. After: the column for that person.

use anyhow::Context;

/// The person who runs the command.
#[derive(Debug, clap::Args)]
pub struct Actor {
    /// Name of the person who does this; default: the user of the operating system
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
            None => whoami::username().context("the operating system does not name a user: use --actor"),
        }
    }
}
