//! `vitals erase`: a device or a user, everywhere, with a receipt.
//!
//! Before: somebody with the right to ask for it. After: `store::erasure`, then `cache::erasure`.
//! Promise: nothing goes without a question or `--yes`; whom nobody knows is no success unless `--if-known` is said; what was broken off goes on when it is asked for again; what a reaction
//! holds in memory meanwhile brings nothing back: it is waited for.

mod receipt;

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, bail};
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use crate::app;
use crate::cache::{Cache, erasure};
use crate::command::actor::Actor;
use crate::command::interrupt::until_interrupted;
use crate::command::progress::Progress;
use crate::command::text::{confirm, escape_control, print};
use crate::config::Settings;
use crate::store::Store;
use crate::store::erasure::{Desk, Subject};

/// What to erase.
#[derive(Debug, clap::Subcommand)]
pub enum Action {
    /// A device, whoever wore it: samples, rollups, events, documents, alerts, rejects, bindings, what Redis shows
    Device(DeviceOptions),
    /// A user, on whatever device: the same, with their bindings, addresses and name; the devices stay
    User(UserOptions),
    /// Let Redis follow what was erased by SQL, or while it was away
    Finish,
}

/// Options of `device`.
#[derive(Debug, clap::Args)]
pub struct DeviceOptions {
    /// Its serial
    serial: String,
    #[command(flatten)]
    options: EraseOptions,
}

/// Options of `user`.
#[derive(Debug, clap::Args)]
pub struct UserOptions {
    /// Their id
    #[arg(value_parser = clap::value_parser!(i64).range(1..))]
    id: i64,
    #[command(flatten)]
    options: EraseOptions,
}

/// EraseOptions it is done.
#[derive(Debug, clap::Args)]
struct EraseOptions {
    /// Count what would go, and change nothing
    #[arg(long)]
    dry_run: bool,
    /// Do not ask
    #[arg(long)]
    yes: bool,
    /// Be content when nothing is known of it
    #[arg(long)]
    if_known: bool,
    /// The receipt as a JSON object
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    actor: Actor,
}

/// The rows are gone, Redis has not followed.
const IN_PART: u8 = 3;

/// What a shell expects of a command that was interrupted.
const INTERRUPTED: u8 = 130;

/// EraseOptions long reactions that were under way are waited for, and how often is looked.
const REACTION_TIMEOUT: Duration = Duration::from_secs(60);
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// Does what was asked.
///
/// # Errors
/// The database is away: what was done is done, the same again goes on.
pub async fn run(action: Action, settings: &Settings) -> anyhow::Result<ExitCode> {
    let store = Store::new(settings)?;
    app::check_schema(&store).await?;
    let desk = Desk::open(&store).await?;
    let (subject, options) = match action {
        Action::Device(options) => (Subject::Device(options.serial), options.options),
        Action::User(options) => (Subject::User(options.id), options.options),
        Action::Finish => {
            let done = clear_redis(&desk, settings, None).await?;
            print(&format!("{done} erasures followed\n"))?;
            return Ok(ExitCode::SUCCESS);
        }
    };
    let counts = count_rows(&desk, &subject).await?;
    // One that was broken off may have come to its end but for the receipt, or for Redis.
    let awaited = |device_sns: &[String]| device_sns.contains(&subject.text());
    if counts.is_empty()
        && !desk.is_begun(&subject).await?
        && !desk.pending().await?.iter().any(|each| awaited(&each.device_sns))
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
    erase(&desk, &subject, &options, settings).await
}

/// A serial that was mistyped must not pass for one that was erased.
fn nothing_is_known(subject: &Subject, options: &EraseOptions) -> anyhow::Result<ExitCode> {
    let text = format!("nothing is known of {} {}", subject.kind(), escape_control(&subject.text()));
    if options.if_known {
        print(&if options.json { receipt::preview(subject, &BTreeMap::new(), true) } else { text + "\n" })?;
        return Ok(ExitCode::SUCCESS);
    }
    bail!("{text}: nothing was erased, and there is no receipt")
}

async fn erase(
    desk: &Desk,
    subject: &Subject,
    options: &EraseOptions,
    settings: &Settings,
) -> anyhow::Result<ExitCode> {
    let id = desk.begin(subject, &options.actor.name()?).await?;
    let stop = CancellationToken::new();
    until_interrupted(&stop, take_steps(desk, id, subject, &stop))
        .await
        .context("broke off; what is done is done, the same again goes on")?;
    if stop.is_cancelled() {
        eprintln!("vitals: broken off; the same again goes on");
        return Ok(ExitCode::from(INTERRUPTED));
    }
    // Whoever had read rows before they went may still write of them: alerts, a device, a key.
    let under_way = desk.under_way().await?;
    wait_until("reactions under way", async || Ok(desk.still_under_way(&under_way).await? == 0)).await?;
    desk.rest(Some(id), subject).await?;
    let cleared = clear_redis(desk, settings, Some(id)).await;
    print(&receipt::text(&desk.receipt(id).await?, options.json))?;
    match cleared {
        Ok(_) => Ok(ExitCode::SUCCESS),
        Err(error) => {
            eprintln!("vitals: Redis has not followed ({error:#}): `vitals erase finish` when it is there");
            Ok(ExitCode::from(IN_PART))
        }
    }
}

async fn take_steps(desk: &Desk, id: i64, subject: &Subject, stop: &CancellationToken) -> anyhow::Result<()> {
    let steps = desk.steps(subject).await?;
    let mut progress = Progress::new("erasing", steps.len() as u64);
    for step in &steps {
        if stop.is_cancelled() {
            break;
        }
        desk.step(Some(id), subject, step).await?;
        progress.advance(1);
    }
    progress.end();
    Ok(())
}

/// What would go, by table.
async fn count_rows(desk: &Desk, subject: &Subject) -> anyhow::Result<BTreeMap<String, i64>> {
    let steps = desk.steps(subject).await?;
    let mut progress = Progress::new("counting", steps.len() as u64);
    let mut counts = BTreeMap::new();
    for step in &steps {
        *counts.entry(step.relation.clone()).or_default() += desk.step(None, subject, step).await?;
        progress.advance(1);
    }
    progress.end();
    for (relation, rows) in desk.rest(None, subject).await? {
        *counts.entry(relation).or_default() += rows;
    }
    counts.retain(|_, rows| *rows > 0);
    Ok(counts)
}

/// Lets Redis follow one erasure, or all that it has not followed; says how many.
async fn clear_redis(desk: &Desk, settings: &Settings, only: Option<i64>) -> anyhow::Result<usize> {
    let pending = desk.pending().await?;
    let pending: Vec<_> = pending.iter().filter(|each| only.is_none_or(|id| id == each.id)).collect();
    if pending.is_empty() {
        return Ok(0);
    }
    let cache = Cache::new(settings)?;
    cache.connect().await?;
    // Of what was erased by SQL a reaction may be under way, too.
    let under_way = desk.under_way().await?;
    wait_until("reactions under way", async || Ok(desk.still_under_way(&under_way).await? == 0)).await?;
    wait_until("a rebuild of the view", async || Ok(!erasure::is_view_rebuilding(&cache).await?)).await?;
    for each in &pending {
        erasure::delete_keys(&cache, &each.device_sns).await?;
        desk.forgotten(each.id).await?;
    }
    Ok(pending.len())
}

async fn wait_until(what: &str, mut over: impl AsyncFnMut() -> anyhow::Result<bool>) -> anyhow::Result<()> {
    let until = Instant::now() + REACTION_TIMEOUT;
    while !over().await? {
        if Instant::now() > until {
            bail!("{what} did not end in {} s; the same again goes on", REACTION_TIMEOUT.as_secs());
        }
        sleep(LOOK_EVERY).await;
    }
    Ok(())
}
