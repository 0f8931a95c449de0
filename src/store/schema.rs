//! The schema as a contract: whether functions, views and grants are those of this program, and as they were applied.
//!
//! Before: `store::migrate` and `store::roles` record them. After: `vitals serve` at its start, `vitals check`.

use sha2::{Digest, Sha256};
use tokio_postgres::error::SqlState;
use tokio_postgres::{GenericClient, Row, Transaction};

use super::{Statement, Store, StoreError, migrate, roles, rollups, statement};

const STATE: Statement = statement!("schema", "state");
const CHANGES: Statement = statement!("schema", "changes");
const RECORD: Statement = statement!("schema", "record");
const FOREIGN_FUNCTIONS: Statement = statement!("schema", "foreign_functions");
const OPEN_PUBLIC: Statement = statement!("schema", "open_public");

/// How the schema of a database is to this program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// All of it is this program's.
    Current,
    /// Its version is older: here it is.
    Older(i32),
    /// Its version is newer: here it is.
    Newer(i32),
    /// The version is right, functions, views and grants are of another program.
    OtherFunctions,
}

impl State {
    /// What is wrong, and what to do; nothing where all is well.
    pub fn complaint(&self) -> Option<String> {
        let needed = migrate::head();
        match self {
            Self::Current => None,
            Self::Older(found) => Some(format!(
                "the schema is at version {found}, this program needs {needed}: run `vitals migrate`"
            )),
            Self::Newer(found) => Some(format!(
                "the schema is at version {found}, newer than this program ({needed}): run a newer one"
            )),
            Self::OtherFunctions => Some(format!(
                "the schema is at version {needed}, but its functions, views or grants are those of another program: run \
                 `vitals migrate`"
            )),
        }
    }
}

/// What was done to the database by others than `vitals migrate`.
#[derive(Debug, Clone)]
pub struct Findings {
    /// Functions, views and grants that are not as they were applied; `None`: somebody holds a lock that keeps them from being read.
    pub changes: Option<Vec<Change>>,
    /// What others made in schema public that could be run instead of what we mean, each with its owner.
    pub foreign_functions: Vec<String>,
    /// Owner of schema public, where everybody may create in it.
    pub open_public: Option<String>,
}

/// Something that is not as it was applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// `function`, `view` or `grant`.
    pub kind: String,
    /// Which.
    pub name: String,
    /// What became of it.
    pub change: String,
}

impl std::fmt::Display for Change {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {} ({})", self.kind, self.name, self.change)
    }
}

/// How the schema is to this program.
///
/// # Errors
/// The database is away.
pub async fn state(store: &Store) -> Result<State, StoreError> {
    let (found, needed) = (migrate::version(store).await?, migrate::head());
    if found < needed {
        return Ok(State::Older(found));
    } else if found > needed {
        return Ok(State::Newer(found));
    }
    let client = store.client().await?;
    let is_ours = is_of_this_program(&**client).await?;
    Ok(if is_ours { State::Current } else { State::OtherFunctions })
}

/// What was done to the database besides.
///
/// # Errors
/// The database is away, or was never migrated.
pub async fn findings(store: &Store) -> Result<Findings, StoreError> {
    // It reads much of the catalogue, once: however short statements have to be otherwise. Definitions cannot be read while
    // somebody holds a table for himself, and nothing of the service is to wait for him.
    let (client, _driver) = store.session().await?;
    client.batch_execute("set lock_timeout = '1s'").await.map_err(failed(CHANGES))?;
    let changes = match changes(&client).await {
        Err(error) if error.is(&SqlState::LOCK_NOT_AVAILABLE) => None,
        changes => Some(changes?),
    };
    Ok(Findings {
        changes,
        foreign_functions: foreign_functions(&client).await?,
        open_public: open_public(&client).await?.map(|(owner, _)| owner),
    })
}

async fn changes(client: &impl GenericClient) -> Result<Vec<Change>, StoreError> {
    let rows = client.query(CHANGES.sql, &[]).await.map_err(failed(CHANGES))?;
    Ok(rows
        .iter()
        .map(|row| Change { kind: row.get("kind"), name: row.get("name"), change: row.get("change") })
        .collect())
}

/// The same as a function of the database, for what runs as the owner.
pub(super) fn foreign_functions_in_sql() -> String {
    format!(
        "create or replace function vitals.foreign_functions() returns table (name text, owner name)
        language sql stable set search_path = pg_catalog, pg_temp as $$ {} $$;
        comment on function vitals.foreign_functions() is
            'Functions and operators of others in schema public that could be run instead of those that are meant.'",
        FOREIGN_FUNCTIONS.sql
    )
}

/// Each with its owner.
async fn foreign_functions(client: &impl GenericClient) -> Result<Vec<String>, StoreError> {
    let rows = client
        .query("select name, owner from vitals.foreign_functions()", &[])
        .await
        .map_err(failed(FOREIGN_FUNCTIONS))?;
    Ok(named(&rows))
}

/// Closes schema public to whom it is open where we may, and refuses what others made there meanwhile. Nothing is looked up
/// there before.
///
/// # Errors
/// What it is, and whose.
pub(super) async fn close_public(transaction: &Transaction<'_>) -> Result<(), StoreError> {
    migrate::execute(transaction, "search_path", "set local search_path = pg_catalog, pg_temp").await?;
    match open_public(transaction).await? {
        Some((_, true)) => {
            migrate::execute(transaction, "public", "revoke create on schema public from public").await?;
        }
        Some((owner, false)) => tracing::warn!(
            "everybody may create in schema public: have {owner} run `revoke create on schema public from public`"
        ),
        None => {}
    }
    let rows = transaction.query(FOREIGN_FUNCTIONS.sql, &[]).await.map_err(failed(FOREIGN_FUNCTIONS))?;
    if !rows.is_empty() {
        return Err(StoreError::Migrate(format!(
            "nothing was done: schema public holds what could be run instead of what is meant: {}. Look at it, and drop it",
            named(&rows).join("; ")
        )));
    }
    migrate::execute(transaction, "search_path", "set local search_path = public").await
}

fn named(rows: &[Row]) -> Vec<String> {
    rows.iter()
        .map(|row| format!("{} of role {}", row.get::<_, &str>("name"), row.get::<_, &str>("owner")))
        .collect()
}

/// Who owns schema public where everybody may create in it, and whether we may end that.
async fn open_public(client: &impl GenericClient) -> Result<Option<(String, bool)>, StoreError> {
    let row = client.query_opt(OPEN_PUBLIC.sql, &[]).await.map_err(failed(OPEN_PUBLIC))?;
    Ok(row.map(|row| (row.get("owner"), row.get("is_ours"))))
}

/// Whether there is nothing for a migrate to apply, migrations apart.
pub(super) async fn is_applied(transaction: &Transaction<'_>) -> Result<bool, StoreError> {
    Ok(is_of_this_program(transaction).await? && changes(transaction).await?.is_empty())
}

/// Records everything as this program has applied it.
pub(super) async fn record(transaction: &Transaction<'_>, migrated: bool) -> Result<(), StoreError> {
    transaction.execute(RECORD.sql, &[&program_hash(), &migrated]).await.map_err(failed(RECORD)).map(drop)
}

async fn is_of_this_program(client: &impl GenericClient) -> Result<bool, StoreError> {
    let row = client.query_opt(STATE.sql, &[]).await.map_err(failed(STATE))?;
    Ok(row.is_some_and(|row| row.get::<_, &str>("program_hash") == program_hash()))
}

/// SHA-256 of every text that a migrate applies without a version of its own.
fn program_hash() -> String {
    let mut hash = Sha256::new();
    let texts = migrate::function_texts().chain(roles::texts()).map(str::to_owned);
    let texts = texts.chain(rollups::texts()).chain([foreign_functions_in_sql()]);
    for text in texts {
        hash.update(text);
        hash.update([0]);
    }
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

fn failed(statement: Statement) -> impl Fn(tokio_postgres::Error) -> StoreError {
    move |source| StoreError::Postgres { statement: statement.name, source }
}
