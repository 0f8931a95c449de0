//! `vitals roles`: the roles for the service, dashboards and DBAs, as `sql/roles` has them.

use std::process::ExitCode;

use super::text::print;
use crate::config::Settings;
use crate::store::roles;

/// Applies the roles and prints their names.
///
/// # Errors
/// The database is away or was not migrated, or the role of `database_url` may not create roles.
pub async fn run(settings: &Settings) -> anyhow::Result<ExitCode> {
    for name in roles::apply(settings).await? {
        print(&format!("role {name} has the rights of sql/roles/{name}.sql\n"))?;
    }
    Ok(ExitCode::SUCCESS)
}
