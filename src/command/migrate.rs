//! `vitals migrate`: brings the schema to what this version needs.

use std::process::ExitCode;

use super::text::print;
use crate::config::Settings;
use crate::store::migrate;

/// Migrates and prints what was done.
///
/// # Errors
/// The database is away, or its schema cannot be brought to head.
pub async fn run(settings: &Settings) -> anyhow::Result<ExitCode> {
    let migrated = migrate::run(settings).await?;
    for name in &migrated.applied {
        print(&format!("applied {name}\n"))?;
    }
    if migrated.applied_functions {
        print("functions, views and grants are those of this program\n")?;
    }
    print(&format!("schema is at version {}\n", migrated.version))?;
    Ok(ExitCode::SUCCESS)
}
