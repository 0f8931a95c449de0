//! `vitals migrate`: brings the schema to what this version needs.

use std::process::ExitCode;

use crate::config::Settings;
use crate::store::migrate;

/// Migrates and says what was done.
///
/// # Errors
/// The database is away, or its schema cannot be brought to head.
pub async fn run(settings: &Settings) -> anyhow::Result<ExitCode> {
    let migrated = migrate::run(settings).await?;
    for name in &migrated.applied {
        println!("applied {name}");
    }
    if migrated.applied_functions {
        println!("functions, views and grants are those of this program");
    }
    println!("schema is at version {}", migrated.version);
    Ok(ExitCode::SUCCESS)
}
