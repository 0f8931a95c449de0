//! `vitals migrate`: brings the schema to what this version needs.

use std::process::ExitCode;

use super::text::print;
use crate::config::Settings;
use crate::store::migrate::{self, Phases};
use crate::store::program::Program;

/// Options of `vitals migrate`.
///
/// Without an option it does all: then no older program may run. While instances run, an upgrade has three steps: `--expand` with the new
/// program, every instance replaced by the new program, `--contract`.
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub struct Options {
    /// Apply only what the programs of the previous release work with, before instances are replaced
    #[arg(long, conflicts_with = "contract")]
    expand: bool,
    /// Apply the rest, after every instance was replaced; refused while an older program runs
    #[arg(long)]
    contract: bool,
}

/// Migrates and prints what was done.
///
/// # Errors
/// The database is away, an instance runs that is too old, or the schema cannot be changed.
pub async fn run(options: &Options, settings: &Settings) -> anyhow::Result<ExitCode> {
    let phases = match (options.expand, options.contract) {
        (true, _) => Phases::Expand,
        (_, true) => Phases::Contract,
        _ => Phases::Both,
    };
    let migrated = migrate::run_phases(settings, Program::this(), phases).await?;
    if let Some(newer) = migrated.newer_program {
        let version = migrated.version;
        print(&format!(
            "nothing to do: the schema is at version {version} of vitals {newer}, and serves this program\n"
        ))?;
        return Ok(ExitCode::SUCCESS);
    }
    for name in &migrated.applied {
        print(&format!("applied {name}\n"))?;
    }
    if migrated.applied_functions {
        print("functions, views and grants are those of this program\n")?;
    }
    print(&format!("schema is at version {}\n", migrated.version))?;
    if !migrated.left.is_empty() {
        let left = migrated.left.join(", ");
        print(&format!(
            "left for `vitals migrate --contract`, when every instance runs this program: {left}\n"
        ))?;
    }
    Ok(ExitCode::SUCCESS)
}
