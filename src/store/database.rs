//! The database itself, for whoever brings up a service on a server that has none yet.
//!
//! Before: `demo`. After: `store::migrate`.
//! Promise: a database that is there is left as it is.

use tokio_postgres::error::SqlState;

use super::hosts::Connected;
use super::{Store, StoreError};
use crate::config::Settings;
use crate::tasks;

/// Makes the database that `database_url` names, if the server has none of that name. True: it was made now.
///
/// # Errors
/// The server is away, or the role may not create databases.
pub async fn create_if_missing(settings: &Settings) -> Result<bool, StoreError> {
    let store = Store::new(settings)?;
    match store.session().await {
        Ok(_) => Ok(false),
        Err(error) if error.is(&SqlState::INVALID_CATALOG_NAME) => create(&store).await.map(|()| true),
        Err(error) => Err(error),
    }
}

async fn create(store: &Store) -> Result<(), StoreError> {
    let failed = |source| StoreError::Postgres { statement: "database.create", source };
    let name = store.config.get_dbname().unwrap_or("vitals");
    let Connected { client, connection, .. } =
        store.connect_to(store.config.clone().dbname("postgres")).await?;
    // Its end shows in the statement below.
    let _driver = tasks::spawn_abort_on_drop(connection);
    let statement = format!("create database {}", quoted(name));
    match client.batch_execute(&statement).await {
        // Somebody else made it meanwhile.
        Err(error) if error.code() == Some(&SqlState::DUPLICATE_DATABASE) => Ok(()),
        created => created.map_err(failed),
    }
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_end_its_quotes() {
        assert_eq!(quoted("vi\"tals"), "\"vi\"\"tals\"");
    }
}
