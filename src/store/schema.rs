//! The schema as a contract: whether its version, functions, views and grants are those of this program, and whether anybody
//! changed them since they were applied.
//!
//! Before: `store::migrate` and `store::roles` record them. After: `vitals serve` at its start, `vitals check`.

use sha2::{Digest, Sha256};
use tokio_postgres::error::SqlState;
use tokio_postgres::{GenericClient, Transaction};

use super::functions::FUNCTIONS;
use super::{Statement, Store, StoreError, migrations, public_schema, roles, rollups, statement};

const STATE: Statement = statement!("schema", "state");
const CHANGES: Statement = statement!("schema", "changes");
const RECORD: Statement = statement!("schema", "record");

/// How the schema of a database compares with this program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// Version, functions, views and grants are those of this program.
    Current,
    /// The schema has this older version.
    Older(i32),
    /// The schema has this newer version.
    Newer(i32),
    /// The version is right, but functions, views or grants are those of another program.
    OtherFunctions,
}

impl State {
    /// What is wrong, and what to do; `None` for [`State::Current`].
    pub fn problem(&self) -> Option<String> {
        let needed = migrations::head();
        match self {
            Self::Current => None,
            Self::Older(found) => Some(format!(
                "the schema is at version {found}, this program needs {needed}: run `vitals migrate`"
            )),
            Self::Newer(found) => Some(format!(
                "the schema is at version {found}, newer than this program ({needed}): run a newer program"
            )),
            Self::OtherFunctions => Some(format!(
                "the schema is at version {needed}, but its functions, views or grants are those of another program: run \
                 `vitals migrate`"
            )),
        }
    }
}

/// What others than `vitals migrate` changed in the schema.
#[derive(Debug, Clone)]
pub struct SchemaAudit {
    /// Functions, views and grants that differ from what was applied; `None`: they could not be read, because another session holds
    /// a lock.
    pub changes: Option<Vec<Change>>,
    /// Functions and operators of others in schema public, each with its owner; they could be called in place of ours.
    pub foreign_functions: Vec<String>,
    /// Owner of schema public, if every role may create in it.
    pub writable_public: Option<String>,
}

/// A function, view or grant that differs from what was applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// `function`, `view` or `grant`.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// How it differs.
    pub change: String,
}

impl std::fmt::Display for Change {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {} ({})", self.kind, self.name, self.change)
    }
}

/// Compares the schema with this program.
///
/// # Errors
/// The database is unreachable.
pub async fn state(store: &Store) -> Result<State, StoreError> {
    let (found, needed) = (migrations::version(store).await?, migrations::head());
    if found < needed {
        return Ok(State::Older(found));
    } else if found > needed {
        return Ok(State::Newer(found));
    }
    let client = store.client().await?;
    let is_ours = is_of_this_program(&**client).await?;
    Ok(if is_ours { State::Current } else { State::OtherFunctions })
}

/// Looks for what others changed in the schema.
///
/// # Errors
/// The database is unreachable, or was never migrated.
pub async fn audit(store: &Store) -> Result<SchemaAudit, StoreError> {
    // A session without statement timeout: the statement reads much of the catalogue. A definition cannot be read while another
    // session holds an exclusive lock on its relation; the service does not wait for that.
    let (client, _driver) = store.session().await?;
    client.batch_execute("set lock_timeout = '1s'").await.map_err(failed(CHANGES))?;
    let changes = match changes(&client).await {
        Err(error) if error.is(&SqlState::LOCK_NOT_AVAILABLE) => None,
        changes => Some(changes?),
    };
    Ok(SchemaAudit {
        changes,
        foreign_functions: public_schema::foreign_functions(&client).await?,
        writable_public: public_schema::writable(&client).await?.map(|(owner, _)| owner),
    })
}

async fn changes(client: &impl GenericClient) -> Result<Vec<Change>, StoreError> {
    let rows = client.query(CHANGES.sql, &[]).await.map_err(failed(CHANGES))?;
    Ok(rows
        .iter()
        .map(|row| Change { kind: row.get("kind"), name: row.get("name"), change: row.get("change") })
        .collect())
}

/// Whether functions, views and grants are those of this program, and nobody changed them.
pub(super) async fn is_current(transaction: &Transaction<'_>) -> Result<bool, StoreError> {
    Ok(is_of_this_program(transaction).await? && changes(transaction).await?.is_empty())
}

/// Records the functions, views and grants as this program applied them.
pub(super) async fn record(transaction: &Transaction<'_>, migrated: bool) -> Result<(), StoreError> {
    transaction.execute(RECORD.sql, &[&program_hash(), &migrated]).await.map_err(failed(RECORD)).map(drop)
}

async fn is_of_this_program(client: &impl GenericClient) -> Result<bool, StoreError> {
    let row = client.query_opt(STATE.sql, &[]).await.map_err(failed(STATE))?;
    Ok(row.is_some_and(|row| row.get::<_, &str>("program_hash") == program_hash()))
}

/// SHA-256 of all texts that a migrate applies and that have no version of their own.
fn program_hash() -> String {
    let mut hash = Sha256::new();
    let texts = FUNCTIONS.iter().map(|(_, body)| *body).chain(roles::texts()).map(str::to_owned);
    let texts = texts.chain(rollups::texts()).chain([public_schema::foreign_functions_in_sql()]);
    for text in texts {
        hash.update(text);
        hash.update([0]);
    }
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

fn failed(statement: Statement) -> impl Fn(tokio_postgres::Error) -> StoreError {
    move |source| StoreError::Postgres { statement: statement.name, source }
}
