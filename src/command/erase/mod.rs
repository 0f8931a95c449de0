//! `vitals erase`: a device or a user, everywhere, with a receipt.
//!
//! Before: somebody with the right to ask for it. After: `store::erasure`, then `cache::forget`.
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
use crate::cache::{Cache, forget};
use crate::command::actor::Actor;
use crate::command::interrupt::until_interrupted;
use crate::command::progress::Progress;
use crate::command::text::{confirmed, harmless, print};
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
    how: How,
}

/// Options of `user`.
#[derive(Debug, clap::Args)]
pub struct UserOptions {
    /// Their id
    #[arg(value_parser = clap::value_parser!(i64).range(1..))]
    id: i64,
    #[command(flatten)]
    how: How,
}

/// How it is done.
#[derive(Debug, clap::Args)]
struct How {
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

/// How long reactions that were under way are waited for, and how often is looked.
const PATIENCE: Duration = Duration::from_secs(60);
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// Does what was asked.
///
/// # Errors
/// The database is away: what was done is done, the same again goes on.
pub async fn run(action: Action, settings: &Settings) -> anyhow::Result<ExitCode> {
    let store = Store::new(settings)?;
    app::check_schema(&store).await?;
    let desk = Desk::open(&store).await?;
    let (subject, how) = match action {
        Action::Device(options) => (Subject::Device(options.serial), options.how),
        Action::User(options) => (Subject::User(options.id), options.how),
        Action::Finish => {
            let done = follow(&desk, settings, None).await?;
            print(&format!("{done} erasures followed\n"))?;
            return Ok(ExitCode::SUCCESS);
        }
    };
    let counts = counted(&desk, &subject).await?;
    // One that was broken off may have come to its end but for the receipt, or for Redis.
    let awaited = |device_sns: &[String]| device_sns.contains(&subject.text());
    if counts.is_empty()
        && !desk.is_begun(&subject).await?
        && !desk.pending().await?.iter().any(|each| awaited(&each.device_sns))
    {
        return nothing_is_known(&subject, &how);
    }
    if how.dry_run || !how.yes {
        print(&receipt::forecast(&subject, &counts, how.json && how.dry_run))?;
        if how.dry_run {
            return Ok(ExitCode::SUCCESS);
        }
        let question = format!("Erase {} {} for good? [y/N] ", subject.kind(), harmless(&subject.text()));
        if !confirmed(&question)? {
            print("nothing was erased\n")?;
            return Ok(ExitCode::FAILURE);
        }
    }
    erase(&desk, &subject, &how, settings).await
}

/// A serial that was mistyped must not pass for one that was erased.
fn nothing_is_known(subject: &Subject, how: &How) -> anyhow::Result<ExitCode> {
    let text = format!("nothing is known of {} {}", subject.kind(), harmless(&subject.text()));
    if how.if_known {
        print(&if how.json { receipt::forecast(subject, &BTreeMap::new(), true) } else { text + "\n" })?;
        return Ok(ExitCode::SUCCESS);
    }
    bail!("{text}: nothing was erased, and there is no receipt")
}

async fn erase(desk: &Desk, subject: &Subject, how: &How, settings: &Settings) -> anyhow::Result<ExitCode> {
    let id = desk.begin(subject, &how.actor.name()?).await?;
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
    patiently("reactions under way", async || Ok(desk.still_under_way(&under_way).await? == 0)).await?;
    desk.rest(Some(id), subject).await?;
    let followed = follow(desk, settings, Some(id)).await;
    print(&receipt::text(&desk.receipt(id).await?, how.json))?;
    match followed {
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
async fn counted(desk: &Desk, subject: &Subject) -> anyhow::Result<BTreeMap<String, i64>> {
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
async fn follow(desk: &Desk, settings: &Settings, only: Option<i64>) -> anyhow::Result<usize> {
    let pending = desk.pending().await?;
    let pending: Vec<_> = pending.iter().filter(|each| only.is_none_or(|id| id == each.id)).collect();
    if pending.is_empty() {
        return Ok(0);
    }
    let cache = Cache::new(settings)?;
    cache.connect().await?;
    // Of what was erased by SQL a reaction may be under way, too.
    let under_way = desk.under_way().await?;
    patiently("reactions under way", async || Ok(desk.still_under_way(&under_way).await? == 0)).await?;
    patiently("a rebuild of the view", async || Ok(!forget::rebuilding(&cache).await?)).await?;
    for each in &pending {
        forget::forget(&cache, &each.device_sns).await?;
        desk.forgotten(each.id).await?;
    }
    Ok(pending.len())
}

async fn patiently(what: &str, mut over: impl AsyncFnMut() -> anyhow::Result<bool>) -> anyhow::Result<()> {
    let until = Instant::now() + PATIENCE;
    while !over().await? {
        if Instant::now() > until {
            bail!("{what} did not end in {} s; the same again goes on", PATIENCE.as_secs());
        }
        sleep(LOOK_EVERY).await;
    }
    Ok(())
}
