//! `vitals migrate`: migrations, functions, rollups and grants, in one transaction for each phase.
//!
//! Before: `vitals migrate`, `vitals serve --migrate`, `vitals demo`, the tests. After: every other statement.
//! Promise: when several programs migrate at once, one does the work and the others find it done; after an error in a transaction the
//! database is as it was before it; nothing is applied that an instance that runs cannot work with.

use tokio_postgres::{Client, Transaction};

use super::functions::FUNCTIONS;
use super::instance::Instance;
use super::migrations::plan::{Part, Plan, check, newest_contract, plan};
use super::migrations::{self, outside};
use super::program::{MigrationFile, Program};
use super::schema::State;
use super::schema_transaction::{self, check_requirements, execute};
use super::{Statement, Store, StoreError, instance, public_schema, roles, rollups, schema, statement};
use crate::config::Settings;

pub use super::migrations::plan::Phases;

const REQUIREMENTS: Statement = statement!("migrate", "requirements");

/// What a migrate did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MigrateResult {
    /// Files applied now, such as `V1__health_data`.
    pub applied: Vec<String>,
    /// Version of the schema.
    pub version: i32,
    /// Whether functions, views and grants were applied: they differed from those of this program.
    pub applied_functions: bool,
    /// Files that contract the schema and were left for later.
    pub left: Vec<String>,
    /// The newer program that the schema belongs to and that serves this one; then nothing was done.
    pub newer_program: Option<String>,
}

/// Brings the schema to the version of this program, and functions, views and grants to its texts.
///
/// # Errors
/// As [`run_phases`].
pub async fn run(settings: &Settings) -> Result<MigrateResult, StoreError> {
    run_phases(settings, Program::this(), Phases::Both).await
}

/// Applies the phases of a program. If the schema is that of a newer program and serves this one, nothing is done.
///
/// # Errors
/// The server or the role lacks something, or an instance runs that is too old, which is named before anything is done; other
/// sessions hold a lock for too long; or an existing rollup has another definition. Then the transaction is rolled back.
pub async fn run_phases(
    settings: &Settings,
    program: &Program,
    phases: Phases,
) -> Result<MigrateResult, StoreError> {
    let store = Store::new(settings)?;
    let (mut client, _connection) = store.session().await?;
    check_requirements(&client, REQUIREMENTS, &[]).await?;
    schema_transaction::lock(&client).await?;
    let mut result = MigrateResult {
        applied: Vec::new(),
        version: 0,
        applied_functions: false,
        left: Vec::new(),
        newer_program: None,
    };
    match schema::state_of(&client, program).await? {
        State::NewerProgram { program, version } => {
            return Ok(MigrateResult { newer_program: Some(program), version, ..result });
        }
        state @ State::Newer { .. } => {
            return Err(StoreError::Migrate(state.problem(program).unwrap_or_default()));
        }
        _ => migrations::verify(&client, program).await?,
    }
    let plan = make_plan(&client, program, phases).await?;
    let last = plan.parts.iter().rposition(|part| matches!(part, Part::Transaction(_)));
    for (number, part) in plan.parts.iter().enumerate() {
        match part {
            Part::Transaction(files) => {
                let is_last = last == Some(number);
                let work = Work { settings, program, files, is_last };
                result.applied_functions |= work.run(&mut client).await?;
                result.applied.extend(files.iter().map(ToString::to_string));
            }
            Part::Outside(file) => {
                begin_contract(&mut client, settings, program, file).await?;
                outside::run(&client, settings, file).await?;
                result.applied.push(file.to_string());
            }
        }
    }
    result.version = migrations::applied(&client).await?.last().copied().unwrap_or(0);
    result.left = plan.left.iter().map(ToString::to_string).collect();
    Ok(result)
}

/// Plans the migrate. Before a plan contracts the schema, instances whose last heartbeat is old have the time to write one.
async fn make_plan<'a>(
    client: &Client,
    program: &'a Program,
    phases: Phases,
) -> Result<Plan<'a>, StoreError> {
    let applied = migrations::applied(client).await?;
    let first = plan(program, &applied, &instance::running(client).await?, phases)?;
    let Some(version) = first.newest_contract() else { return Ok(first) };
    wait_for_heartbeats(client, version).await?;
    plan(program, &applied, &instance::running(client).await?, phases)
}

/// Waits for those instances without migration `version` whose last heartbeat is old: two intervals, so that one which has yet to
/// reconnect is seen.
async fn wait_for_heartbeats(client: &Client, version: i32) -> Result<(), StoreError> {
    instance::delete_ended(client, version, Instance::BEAT_EVERY * 2).await
}

/// Before statements contract the schema one by one: no older program runs, and from then on none starts, even if one of the statements fails.
async fn begin_contract(
    client: &mut Client,
    settings: &Settings,
    program: &Program,
    file: &MigrationFile,
) -> Result<(), StoreError> {
    let Some(version) = newest_contract([file]) else { return Ok(()) };
    wait_for_heartbeats(client, version).await?;
    schema_transaction::run(client, settings, async |transaction| {
        check(&[file], &instance::lock_running(transaction).await?)?;
        schema::record_oldest_program(transaction, program, Some(version)).await
    })
    .await
}

/// The work of one transaction.
struct Work<'a> {
    settings: &'a Settings,
    program: &'a Program,
    files: &'a [&'a MigrationFile],
    /// Functions, views and grants need all files.
    is_last: bool,
}

impl Work<'_> {
    /// Runs it in a transaction. Whether functions, views and grants were applied.
    async fn run(&self, client: &mut Client) -> Result<bool, StoreError> {
        if let Some(version) = newest_contract(self.files.iter().copied()) {
            // What was built outside since the plan was made may have taken hours.
            wait_for_heartbeats(client, version).await?;
        }
        schema_transaction::run(client, self.settings, async |transaction| self.migrate(transaction).await)
            .await
    }

    /// Whether functions, views and grants were applied.
    async fn migrate(&self, transaction: &Transaction<'_>) -> Result<bool, StoreError> {
        public_schema::close(transaction).await?;
        let contracts = newest_contract(self.files.iter().copied()).is_some();
        if contracts {
            // An instance that started since the plan was made is here, and no other one starts before the commit.
            check(self.files, &instance::lock_running(transaction).await?)?;
        }
        migrations::apply(transaction, self.files).await?;
        if !self.is_last {
            if contracts {
                // What is built outside before the last transaction may take hours, or fail.
                schema::record_oldest_program(transaction, self.program, None).await?;
            }
            return Ok(false);
        }
        let is_current = self.files.is_empty() && schema::is_current(transaction).await?;
        if !is_current {
            let foreign_functions = public_schema::foreign_functions_in_sql();
            execute(transaction, "vitals.foreign_functions", &foreign_functions).await?;
            for (name, body) in FUNCTIONS {
                execute(transaction, &format!("sql/functions/{name}.sql"), body).await?;
            }
        }
        rollups::sync(transaction, self.settings, is_current).await?;
        if !is_current {
            roles::reapply(transaction).await?;
            schema::record(transaction, self.program, !self.files.is_empty()).await?;
        }
        Ok(!is_current)
    }
}
