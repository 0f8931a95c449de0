//! The schema as a contract: whether it serves a program, whether its functions, views and grants are those of the program or of a newer
//! one, and whether anybody changed them since they were applied.
//!
//! Before: `store::migrate` and `store::roles` record them. After: `vitals serve` at its start, `vitals check`.

use std::collections::BTreeSet;

use sha2::{Digest, Sha256};
use tokio_postgres::error::SqlState;
use tokio_postgres::{GenericClient, Transaction};

use super::functions::FUNCTIONS;
use super::program::{Program, release};
use super::{Statement, Store, StoreError, migrations, public_schema, roles, rollups, statement};

const STATE: Statement = statement!("schema", "state");
const CHANGES: Statement = statement!("schema", "changes");
const RECORD: Statement = statement!("schema", "record");
const RECORD_OLDEST_PROGRAM: Statement = statement!("schema", "record_oldest_program");

/// How the schema of a database compares with a program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// Version, functions, views and grants are those of the program, except for these files, which are left for later: they contract
    /// the schema, or build an index.
    Current {
        /// Names of the files.
        left: Vec<String>,
    },
    /// The schema is that of a newer program, and serves this one.
    NewerProgram {
        /// Version of the newer program.
        program: String,
        /// Version of the schema.
        version: i32,
    },
    /// The schema has this older version.
    Older {
        /// Version of the schema.
        version: i32,
    },
    /// The schema is that of a newer program, and no longer serves this one.
    Newer {
        /// Version of the schema.
        version: i32,
    },
    /// The version is right, but functions, views or grants are those of another program.
    OtherFunctions,
}

impl State {
    /// What is wrong, and what to do; `None` if the program runs with this schema.
    pub fn problem(&self, program: &Program) -> Option<String> {
        let (oldest, head) = (program.oldest_schema(), program.head());
        match self {
            Self::Current { .. } | Self::NewerProgram { .. } => None,
            Self::Older { version } => Some(format!(
                "the schema is at version {version}, this program needs {oldest}: run `vitals migrate --expand` \
                 (or `vitals migrate`, if no older program runs)"
            )),
            Self::Newer { version } => Some(format!(
                "the schema is at version {version} and no longer serves this program (migrations up to {head}): run a newer program"
            )),
            Self::OtherFunctions => Some(format!(
                "the schema has version {oldest} or later, but its functions, views or grants are those of another program: \
                 run `vitals migrate`, or `vitals migrate --expand` while an older program runs"
            )),
        }
    }
}

/// What the last migrate recorded.
#[derive(Debug)]
struct RecordedSchema {
    /// Of the texts of its program.
    program_hash: String,
    /// Version of its program.
    program_version: String,
    /// The newest migration of its program.
    head: i32,
    /// The oldest program that works with the schema, as its newest migration.
    oldest_program: i32,
    /// Whether the functions that compare the rest are there.
    can_compare: bool,
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
    let client = store.client().await?;
    state_of(&**client, Program::this()).await
}

/// Compares the schema with a program.
///
/// # Errors
/// The database is unreachable.
pub async fn state_of(client: &impl GenericClient, program: &Program) -> Result<State, StoreError> {
    let applied = migrations::applied(client).await?;
    let version = applied.last().copied().unwrap_or(0);
    if !program.runs_with(&applied) {
        return Ok(if version > program.head() {
            State::Newer { version }
        } else {
            State::Older { version }
        });
    }
    let recorded = recorded(client).await?;
    Ok(compare(program, &applied, recorded.as_ref(), &program_hash()))
}

/// Compares a schema that has all files that the program needs.
fn compare(
    program: &Program,
    applied: &BTreeSet<i32>,
    recorded: Option<&RecordedSchema>,
    program_hash: &str,
) -> State {
    let version = applied.last().copied().unwrap_or(0);
    let Some(recorded) = recorded else {
        return if version > program.head() { State::Newer { version } } else { State::OtherFunctions };
    };
    if recorded.oldest_program > program.head() {
        return State::Newer { version };
    }
    let theirs = (recorded.head, release(&recorded.program_version));
    if theirs > (program.head(), program.release()) && recorded.program_hash != program_hash
        || version > program.head()
    {
        return State::NewerProgram { program: recorded.program_version.clone(), version };
    }
    if recorded.program_hash != program_hash || !recorded.can_compare {
        return State::OtherFunctions;
    }
    State::Current { left: program.missing(applied).iter().map(ToString::to_string).collect() }
}

async fn recorded(client: &impl GenericClient) -> Result<Option<RecordedSchema>, StoreError> {
    let row = client.query_opt(STATE.sql, &[]).await.map_err(failed(STATE))?;
    Ok(row.map(|row| RecordedSchema {
        program_hash: row.get("program_hash"),
        program_version: row.get("program_version"),
        head: row.get("head"),
        oldest_program: row.get("oldest_program"),
        can_compare: row.get("can_compare"),
    }))
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
    let recorded = recorded(transaction).await?;
    let is_ours =
        recorded.is_some_and(|recorded| recorded.can_compare && recorded.program_hash == program_hash());
    Ok(is_ours && changes(transaction).await?.is_empty())
}

/// Records the functions, views and grants as this program applied them, and which programs the schema serves.
pub(super) async fn record(
    transaction: &Transaction<'_>,
    program: &Program,
    migrated: bool,
) -> Result<(), StoreError> {
    let oldest_program = program.oldest_program(&migrations::applied(transaction).await?);
    transaction
        .execute(
            RECORD.sql,
            &[&program_hash(), &program.version(), &program.head(), &oldest_program, &migrated],
        )
        .await
        .map_err(failed(RECORD))
        .map(drop)
}

/// Records which programs the schema serves, in a transaction that contracts it and is not the last of its migrate, or before the file `next`
/// contracts it.
pub(super) async fn record_oldest_program(
    transaction: &Transaction<'_>,
    program: &Program,
    next: Option<i32>,
) -> Result<(), StoreError> {
    let mut applied = migrations::applied(transaction).await?;
    applied.extend(next);
    let oldest_program = program.oldest_program(&applied);
    transaction
        .execute(RECORD_OLDEST_PROGRAM.sql, &[&oldest_program])
        .await
        .map_err(failed(RECORD_OLDEST_PROGRAM))
        .map(drop)
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Version 0.2.0: files 1 and 2; 2 contracts.
    fn program() -> Program {
        Program::new("0.2.0", [("V1__a", ""), ("V2__b", "-- Phase: contract")]).expect("understood")
    }

    fn compared(applied: i32, hash: &str, version: &str, head: i32, oldest_program: i32) -> State {
        let recorded = RecordedSchema {
            program_hash: hash.into(),
            program_version: version.into(),
            head,
            oldest_program,
            can_compare: true,
        };
        compare(&program(), &(1..=applied).collect(), Some(&recorded), "ours")
    }

    #[test]
    fn a_schema_of_this_program_is_current_also_before_it_is_contracted() {
        assert_eq!(compared(2, "ours", "0.2.0", 2, 2), State::Current { left: Vec::new() });
        assert_eq!(compared(1, "ours", "0.2.0", 2, 0), State::Current { left: vec!["V2__b".into()] });
        // A later release with the same texts.
        assert_eq!(compared(2, "ours", "0.2.1", 2, 2), State::Current { left: Vec::new() });
    }

    #[test]
    fn a_newer_program_serves_this_one_until_it_contracts() {
        let newer = |version: &str, schema| State::NewerProgram { program: version.into(), version: schema };
        assert_eq!(compared(3, "theirs", "0.3.0", 4, 2), newer("0.3.0", 3));
        assert_eq!(compared(3, "ours", "0.3.0", 4, 2), newer("0.3.0", 3));
        assert_eq!(compared(2, "theirs", "0.2.1", 2, 2), newer("0.2.1", 2));
        assert_eq!(compared(4, "theirs", "0.3.0", 4, 4), State::Newer { version: 4 });
    }

    #[test]
    fn functions_of_an_older_program_or_of_none_are_those_of_another() {
        assert_eq!(compared(2, "theirs", "0.1.9", 2, 2), State::OtherFunctions);
        assert_eq!(compared(2, "theirs", "0.2.0", 2, 2), State::OtherFunctions);
        assert_eq!(compare(&program(), &(1..=2).collect(), None, "ours"), State::OtherFunctions);
    }

    #[test]
    fn a_problem_names_its_remedy() {
        let problem = |state: State| state.problem(&program());
        assert!(problem(State::Older { version: 0 }).is_some_and(|text| text.contains("migrate --expand")));
        assert!(
            problem(State::Newer { version: 9 }).is_some_and(|text| text.contains("run a newer program"))
        );
        assert_eq!(problem(State::NewerProgram { program: "0.3.0".into(), version: 3 }), None);
    }
}
