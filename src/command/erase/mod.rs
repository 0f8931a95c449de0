//! `vitals erase`: erases a device or a user everywhere, with a receipt.
//!
//! Before: an operator with the right to erase. After: `store::erasure`, then `cache::erasure`.
//! Promise: nothing is erased without a confirmation or `--yes`; an unknown device or user is an error, except with `--if-known`; a
//! second run continues an interrupted erasure; a reaction under way brings nothing back, because the erasure waits for it. Neither does the
//! buffer: what was in it is stored before and erased, or is not stored. The database remembers what was erased until nothing of that
//! time is left in the buffer.

mod buffered;
mod receipt;

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, bail};
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use crate::app;
use crate::cache::{Cache, erasure, view};
use crate::command::actor::Actor;
use crate::command::interrupt::until_interrupted;
use crate::command::progress::Progress;
use crate::command::text::{confirm, escape_control, print};
use crate::command::{DONE_IN_PART, INTERRUPTED};
use crate::config::Settings;
use crate::store::Store;
use crate::store::erasure::{ErasureSession, Subject};

/// What to erase.
#[derive(Debug, clap::Subcommand)]
pub enum Action {
    /// A device, whoever wore it: samples, rollups, events, documents, alerts, rejects, bindings, its keys in Redis
    Device(DeviceOptions),
    /// A user, on every device: the same, and their bindings, addresses and name; the devices stay
    User(UserOptions),
    /// Remove from Redis what was erased by SQL, or while Redis was away, and forget what it was
    Finish,
}

/// Options of `device`.
#[derive(Debug, clap::Args)]
pub struct DeviceOptions {
    /// Its serial
    serial: String,
    #[command(flatten)]
    erase: EraseOptions,
}

/// Options of `user`.
#[derive(Debug, clap::Args)]
pub struct UserOptions {
    /// Their id
    #[arg(value_parser = clap::value_parser!(i64).range(1..))]
    id: i64,
    #[command(flatten)]
    erase: EraseOptions,
}

/// How to erase.
#[derive(Debug, clap::Args)]
struct EraseOptions {
    /// Count what would be erased, and change nothing
    #[arg(long)]
    dry_run: bool,
    /// Do not ask for confirmation
    #[arg(long)]
    yes: bool,
    /// Succeed even if nothing is known of it
    #[arg(long)]
    if_known: bool,
    /// Print the receipt as a JSON object
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    actor: Actor,
}

/// How long to wait for reactions under way, and how often to check.
const REACTION_TIMEOUT: Duration = Duration::from_secs(60);
const CHECK_EVERY: Duration = Duration::from_millis(100);

/// Runs the action.
///
/// # Errors
/// The database is away: steps that are done stay done, a second run continues.
pub async fn run(action: Action, settings: &Settings) -> anyhow::Result<ExitCode> {
    let store = Store::new(settings)?;
    app::check_schema(&store).await?;
    let session = ErasureSession::open(&store).await?;
    let (subject, options) = match action {
        Action::Device(options) => (Subject::Device(options.serial), options.erase),
        Action::User(options) => (Subject::User(options.id), options.erase),
        Action::Finish => {
            let done = clear_redis(&session, settings, None).await?;
            print(&format!("{done} erasures finished in Redis\n"))?;
            return Ok(ExitCode::SUCCESS);
        }
    };
    if !options.dry_run {
        buffered::wait_until_stored(settings).await?;
    }
    let counts = count_rows(&session, &subject).await?;
    // Of an interrupted erasure perhaps only the receipt or Redis is left.
    let awaited = |device_sns: &[String]| device_sns.contains(&subject.text());
    if counts.is_empty()
        && !session.is_begun(&subject).await?
        && !session.pending().await?.iter().any(|each| awaited(&each.device_sns))
    {
        return nothing_is_known(&subject, &options);
    }
    if options.dry_run || !options.yes {
        print(&receipt::preview(&subject, &counts, options.json && options.dry_run))?;
        if options.dry_run {
            return Ok(ExitCode::SUCCESS);
        }
        let question =
            format!("Erase {} {} for good? [y/N] ", subject.kind(), escape_control(&subject.text()));
        if !confirm(&question)? {
            print("nothing was erased\n")?;
            return Ok(ExitCode::FAILURE);
        }
    }
    erase(&session, &subject, &options, settings).await
}

/// A mistyped serial must not look like an erased one.
fn nothing_is_known(subject: &Subject, options: &EraseOptions) -> anyhow::Result<ExitCode> {
    let text = format!("nothing is known of {} {}", subject.kind(), escape_control(&subject.text()));
    if options.if_known {
        print(&if options.json { receipt::preview(subject, &BTreeMap::new(), true) } else { text + "\n" })?;
        return Ok(ExitCode::SUCCESS);
    }
    bail!("{text}: nothing was erased, and there is no receipt")
}

async fn erase(
    session: &ErasureSession,
    subject: &Subject,
    options: &EraseOptions,
    settings: &Settings,
) -> anyhow::Result<ExitCode> {
    let id = session.begin(subject, &options.actor.name()?).await?;
    let stop = CancellationToken::new();
    // What is on its way from the buffer into the database began before it was known that this is to be erased.
    buffered::wait_until_stored(settings).await?;
    until_interrupted(&stop, take_steps(session, id, subject, &stop))
        .await
        .context("failed; steps that are done stay done, run it once more to continue")?;
    if stop.is_cancelled() {
        eprintln!("vitals: interrupted; run it once more to continue");
        return Ok(ExitCode::from(INTERRUPTED));
    }
    // A reaction that read rows before they were erased may still write alerts, a device or a key.
    let under_way = session.under_way().await?;
    wait_until("reactions under way", async || Ok(session.still_under_way(&under_way).await? == 0)).await?;
    session.linked_rows(Some(id), subject).await?;
    let cleared = clear_redis(session, settings, Some(id)).await;
    print(&receipt::text(&session.receipt(id).await?, options.json))?;
    match cleared {
        Ok(_) => Ok(ExitCode::SUCCESS),
        Err(error) => {
            eprintln!(
                "vitals: Redis or the buffer may still have values ({error:#}): run `vitals erase finish` when it is back"
            );
            Ok(ExitCode::from(DONE_IN_PART))
        }
    }
}

async fn take_steps(
    session: &ErasureSession,
    id: i64,
    subject: &Subject,
    stop: &CancellationToken,
) -> anyhow::Result<()> {
    let steps = session.steps(subject).await?;
    let mut progress = Progress::new("erasing", steps.len() as u64);
    for step in &steps {
        if stop.is_cancelled() {
            break;
        }
        session.step(Some(id), subject, step).await?;
        progress.advance(1);
    }
    progress.end();
    Ok(())
}

/// How many rows would be erased, by table.
async fn count_rows(session: &ErasureSession, subject: &Subject) -> anyhow::Result<BTreeMap<String, i64>> {
    let steps = session.steps(subject).await?;
    let mut progress = Progress::new("counting", steps.len() as u64);
    let mut counts = BTreeMap::new();
    for step in &steps {
        *counts.entry(step.relation.clone()).or_default() += session.step(None, subject, step).await?;
        progress.advance(1);
    }
    progress.end();
    for (relation, rows) in session.linked_rows(None, subject).await? {
        *counts.entry(relation).or_default() += rows;
    }
    counts.retain(|_, rows| *rows > 0);
    Ok(counts)
}

/// Removes from Redis what one erasure, or all pending ones, have erased, when the buffer has nothing of before; gives their number.
async fn clear_redis(
    session: &ErasureSession,
    settings: &Settings,
    only: Option<i64>,
) -> anyhow::Result<usize> {
    let pending = session.pending().await?;
    let pending: Vec<_> = pending.iter().filter(|each| only.is_none_or(|id| id == each.id)).collect();
    if pending.is_empty() {
        return Ok(0);
    }
    buffered::wait_until_stored(settings).await?;
    let cache = Cache::new(settings)?;
    cache.connect().await?;
    // A reaction to rows that were erased by SQL may be under way, too.
    let under_way = session.under_way().await?;
    wait_until("reactions under way", async || Ok(session.still_under_way(&under_way).await? == 0)).await?;
    wait_until("a rebuild of the view", async || Ok(!view::is_rebuilding(&cache).await?)).await?;
    for each in &pending {
        erasure::delete_keys(&cache, &each.device_sns).await?;
        session.redis_cleared(each.id).await?;
    }
    Ok(pending.len())
}

async fn wait_until(
    what: &str,
    mut is_done: impl AsyncFnMut() -> anyhow::Result<bool>,
) -> anyhow::Result<()> {
    let until = Instant::now() + REACTION_TIMEOUT;
    while !is_done().await? {
        if Instant::now() > until {
            bail!("{what} did not end in {} s; run it once more to continue", REACTION_TIMEOUT.as_secs());
        }
        sleep(CHECK_EVERY).await;
    }
    Ok(())
}
