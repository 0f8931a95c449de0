//! `vitals policy`: how long rows are kept, when they are compressed, how often the rollups are refreshed.
//!
//! Before: a DBA. After: `store::policy`; SQL on the table `policy` has the same effect.
//! Promise: `show` and `plan` change nothing; a policy that would drop rows before they are rolled up is refused with the reason; a
//! change that drops data needs a confirmation or `--yes`; applying twice has the effect of applying once.

mod text;

use std::process::ExitCode;

use anyhow::bail;

use crate::app;
use crate::command::actor::Actor;
use crate::command::text::{confirm, print};
use crate::config::Settings;
use crate::store::policy::{self, PlannedStep, PolicyChange, PolicySession};
use crate::store::{Kind, Store, StoreError};

/// What to do with policies.
#[derive(Debug, clap::Subcommand)]
pub enum Action {
    /// Show every policy, and what it did last
    Show(Output),
    /// Show what applying would do now: chunks, rows, bytes; and what is held back, and why
    Plan(PlanOptions),
    /// PolicyChange a policy; TimescaleDB's jobs and uploads follow it
    Set(SetOptions),
    /// Apply all policies now, as the service does on a timer
    Apply(Output),
}

/// How to print it.
#[derive(Debug, clap::Args)]
pub struct Output {
    /// One JSON object a line
    #[arg(long)]
    json: bool,
}

/// Options of `plan`.
#[derive(Debug, clap::Args)]
pub struct PlanOptions {
    /// Only of this relation
    relation: Option<String>,
    #[command(flatten)]
    output: Output,
}

/// Options of `set`. Times are intervals of PostgreSQL, such as "90 days" or "1 year"; `never` removes one.
#[derive(Debug, clap::Args)]
#[command(group = clap::ArgGroup::new("values").required(true).multiple(true)
    .args(["keep_for", "compress_after", "refresh_every", "refresh_lag", "keep_bytes"]))]
pub struct SetOptions {
    /// Its name, as in `show`
    relation: String,
    /// How long rows are kept: "1 year", or never (they are never dropped)
    #[arg(long, value_name = "TIME")]
    keep_for: Option<String>,
    /// When chunks are compressed (Community edition): "7 days", or never
    #[arg(long, value_name = "TIME")]
    compress_after: Option<String>,
    /// How often a rollup is refreshed: "20 seconds"
    #[arg(long, value_name = "TIME")]
    refresh_every: Option<String>,
    /// How far behind now materialisation stays: "30 minutes"
    #[arg(long, value_name = "TIME")]
    refresh_lag: Option<String>,
    /// Bytes of text that rejected_upload keeps: "1073741824", or never (no limit)
    #[arg(long, value_name = "BYTES")]
    keep_bytes: Option<String>,
    /// Show the effect, and change nothing
    #[arg(long)]
    dry_run: bool,
    /// Do not ask for confirmation, even if it drops data
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    output: Output,
    #[command(flatten)]
    actor: Actor,
}

/// Runs the action.
///
/// # Errors
/// The database is away or not migrated, or refuses the policy: the reason is in the text.
pub async fn run(action: Action, settings: &Settings) -> anyhow::Result<ExitCode> {
    let store = Store::new(settings)?;
    app::check_schema(&store).await?;
    match action {
        Action::Show(output) => {
            let policies = policy::list(&store).await?;
            print(&text::policies(&policies, output.json))?;
        }
        Action::Plan(options) => {
            let steps = PolicySession::open(&store).await?.plan(options.relation.as_deref()).await?;
            print(&text::plan(&steps, settings, options.output.json))?;
        }
        Action::Set(options) => return set(&options, settings, &store).await,
        Action::Apply(output) => {
            PolicySession::open(&store).await?.apply().await?;
            print(&text::results(&policy::list(&store).await?, output.json))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

async fn set(options: &SetOptions, settings: &Settings, store: &Store) -> anyhow::Result<ExitCode> {
    let json = options.output.json;
    let change = PolicyChange {
        keep_for: value(options.keep_for.as_deref())?,
        compress_after: value(options.compress_after.as_deref())?,
        refresh_every: value(options.refresh_every.as_deref())?,
        refresh_lag: value(options.refresh_lag.as_deref())?,
        keep_bytes: value(options.keep_bytes.as_deref())?,
    };
    let actor = options.actor.name()?;
    let mut session = PolicySession::open(store).await?;
    let before = session.plan(Some(&options.relation)).await?;
    let tried = changed(session.set(&options.relation, &change, None).await, &options.relation)?;
    if options.dry_run {
        print(if json { "" } else { "nothing was changed (--dry-run); then:\n" })?;
        print(&text::plan(&tried, settings, json))?;
        return Ok(ExitCode::SUCCESS);
    }
    if !options.yes && policy::drops_more(&before, &tried) {
        print(if json { "" } else { "this drops data the next time that policies are applied:\n" })?;
        print(&text::plan(&tried, settings, json))?;
        if !confirm(&format!("Change the policy of {} all the same? [y/N] ", options.relation))? {
            eprintln!("vitals: nothing was changed");
            return Ok(ExitCode::FAILURE);
        }
    }
    let steps = changed(session.set(&options.relation, &change, Some(&actor)).await, &options.relation)?;
    print(if json { "" } else { "changed; now:\n" })?;
    print(&text::plan(&steps, settings, json))?;
    Ok(ExitCode::SUCCESS)
}

/// The steps after a change, or the reason for its refusal.
fn changed(
    outcome: Result<Option<Vec<PlannedStep>>, StoreError>,
    relation: &str,
) -> anyhow::Result<Vec<PlannedStep>> {
    match outcome {
        Ok(Some(steps)) => Ok(steps),
        Ok(None) => bail!("there is no policy for {relation}: `vitals policy show` names them all"),
        Err(error) if error.kind() == Kind::Refused => bail!("refused, nothing was changed: {error}"),
        Err(error) => Err(error.into()),
    }
}

/// The database expects an empty text for `never`.
fn value(text: Option<&str>) -> anyhow::Result<Option<&str>> {
    match text.map(str::trim) {
        Some("") => bail!("an empty time: use never, or a time such as \"90 days\""),
        Some("never") => Ok(Some("")),
        given => Ok(given),
    }
}
