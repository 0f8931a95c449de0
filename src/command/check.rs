//! `vitals check`: whether everything the service needs is there, and what the edition of TimescaleDB means.
//!
//! Before: an operator, or the start script of a container. After: one line per finding, exit code 1 if one of them is bad.

mod connections;
mod schema;

use std::process::ExitCode;

use jiff::{Timestamp, ToSpan, Unit};

use super::text::print;
use crate::cache::Cache;
use crate::config::{Authentication, Settings};
use crate::keys::CachedKey;
use crate::model::api_key::{PresentedKey, of_header};
use crate::store::clock::Clock;
use crate::store::health::{self, health_check};
use crate::store::job::{self, JobState};
use crate::store::locks::{self, LockTable};
use crate::store::rollups::{self, Edition, RollupStatus};
use crate::store::server_versions::{self, Verdict, Versions};
use crate::store::{Store, api_key, backlog, device_config, erasure, outbox, policy};

/// Checks everything and prints the findings.
///
/// # Errors
/// The settings cannot be used.
pub async fn run(settings: &Settings) -> anyhow::Result<ExitCode> {
    let store = Store::new(settings)?;
    let mut report = Report { good: true };
    if let Err(error) = database(&mut report, settings, &store).await {
        report.bad("PostgreSQL", &format!("{error:#}"));
    }
    connections::redis(&mut report, &Cache::new(settings)?).await;
    connections::buffer(&mut report, settings).await?;
    Ok(if report.good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn database(report: &mut Report, settings: &Settings, store: &Store) -> anyhow::Result<()> {
    let (client, _driver) = store.session().await?;
    report.good("PostgreSQL", &format!("answers at {} (setting database_url)", store.server()));
    connections::postgres(report, store).await?;
    connections::standbys(report, settings).await?;
    let edition = match health::timescaledb(&client).await? {
        Ok(()) => rollups::edition(&client).await?,
        Err(missing) => {
            report.bad("TimescaleDB", missing);
            return Ok(());
        }
    };
    report.good("TimescaleDB", describe(edition));
    versions(report, &server_versions::read(&client).await?, edition);
    if schema::check(report, store).await? {
        match health_check(store).await {
            Ok(()) => report.good("uploads", "the role may write what they write"),
            Err(error) => report.bad("uploads", &error.to_string()),
        }
        for status in rollups::status(&client).await? {
            rollup(report, settings, &status);
        }
        let refreshed = refresh(report, store).await?;
        jobs(report, store, refreshed).await?;
        lock_table(report, &locks::measure(store).await?);
        policies(report, store, edition).await?;
        keys(report, settings, store).await?;
        outbox_backlog(report, store).await?;
        erasures(report, store).await?;
        let (verdict, clocks) = super::clocks::finding(store, settings.clock_off_seconds).await?;
        report.line(verdict, "clocks of devices", &clocks);
    }
    Ok(())
}

const fn describe(edition: Edition) -> &'static str {
    match edition {
        Edition::Community => {
            "Community edition: the rollups are continuous aggregates; `vitals serve` refreshes them, and a job of TimescaleDB does while no service runs"
        }
        Edition::Apache => {
            "Apache edition: the rollups are refreshed by refresh_rollups(), which one instance of `vitals serve` calls; \
             there is no compression"
        }
    }
}

fn rollup(report: &mut Report, settings: &Settings, status: &RollupStatus) {
    let watermark = status
        .watermark
        .map_or_else(|| "nothing materialised yet".into(), |at| format!("materialised to {at}"));
    let refreshed = match status.refreshed_at {
        Some(at) => format!("refreshed {} ago", ago(at)),
        None => "never refreshed".into(),
    };
    let text = format!("zone {}, {watermark}, {} changes pending, {refreshed}", status.zone, status.pending);
    if status.zone == "UTC" || status.zone == settings.rollup_time_zone {
        report.good(&status.name, &text);
    } else {
        let wanted = &settings.rollup_time_zone;
        report.bad(&status.name, &format!("{text}; but rollup_time_zone is {wanted}, see `vitals migrate`"));
    }
}

fn versions(report: &mut Report, versions: &Versions, edition: Edition) {
    for (what, verdict) in [
        ("version of PostgreSQL", versions.postgres()),
        ("version of TimescaleDB", versions.timescaledb(edition)),
    ] {
        match verdict {
            Verdict::Good(text) => report.good(what, &text),
            Verdict::Warn(text) => report.warn(what, &text),
            Verdict::Bad(text) => report.bad(what, &text),
        }
    }
    if let Some(known) = versions.together(edition) {
        report.warn("versions", known);
    }
}

/// Whether the rollups are refreshed in time.
async fn refresh(report: &mut Report, store: &Store) -> anyhow::Result<bool> {
    let due = backlog::read(store).await?.refresh_due;
    let is_late = due > backlog::LATE;
    if is_late {
        let text = format!(
            "a refresh has been due for {} s, so late rows do not show: is a `vitals serve` running, and what is in its log? \
             `vitals refresh` runs one by hand",
            due.as_secs()
        );
        // Not bad: a service that is started after this check may bring them up to date.
        report.warn("rollups", &text);
    }
    Ok(!is_late)
}

/// The jobs of TimescaleDB: each that does not work, and what to do about it.
async fn jobs(report: &mut Report, store: &Store, refreshed: bool) -> anyhow::Result<()> {
    let jobs = job::watched(store).await?;
    let well = jobs.iter().filter(|job| job.state == JobState::Ok).count();
    if well > 0 {
        report.good("jobs of TimescaleDB", &format!("{well} of {} work as they should", jobs.len()));
    }
    for job in jobs {
        let Some(finding) = job.finding(refreshed) else { continue };
        let name = format!("job {}", job.name);
        if job.needs_somebody() { report.bad(&name, &finding) } else { report.warn(&name, &finding) }
    }
    Ok(())
}

/// Parts of a policy that are not carried out.
async fn policies(report: &mut Report, store: &Store, edition: Edition) -> anyhow::Result<()> {
    let policies = policy::list(store).await?;
    let last = policies.iter().filter_map(|policy| Some(policy.run.as_ref()?.applied_at)).max();
    let text = last.map_or_else(|| "not applied yet".to_owned(), |at| format!("applied {} ago", ago(at)));
    report.good("policies", &text);
    for policy in policies {
        if let Some(after) = policy.compress_after.filter(|_| edition == Edition::Apache) {
            let cannot = format!(
                "to be compressed after {after}, which the Apache edition cannot do: it stays uncompressed"
            );
            report.good(&policy.relation, &cannot);
        }
        if let Some(held) = policy.run.and_then(|run| run.held) {
            report.good(&policy.relation, &format!("retention waits: {held}"));
        }
    }
    Ok(())
}

/// A query over all of time (a dashboard, a dump) locks every chunk, and all sessions share the lock table.
fn lock_table(report: &mut Report, table: &LockTable) {
    let LockTable { per_transaction, room, needed, .. } = table;
    let text = format!(
        "max_locks_per_transaction = {per_transaction} makes room for {room} locks; a transaction over all {} chunks of {} takes about {needed}",
        table.chunks, table.relation
    );
    if table.is_enough() {
        report.good("locks", &text);
    } else {
        let wanted = table.wanted_per_transaction();
        report.bad(
            "locks",
            &format!("{text}: set max_locks_per_transaction to {wanted} or more and restart PostgreSQL"),
        );
    }
}

async fn outbox_backlog(report: &mut Report, store: &Store) -> anyhow::Result<()> {
    match outbox::measure(store).await?.waiting {
        0 => report.good("outbox", "empty: all committed batches were reacted to"),
        waiting => {
            report.good("outbox", &format!("{waiting} transactions wait for a relay (`vitals serve`)"))
        }
    }
    Ok(())
}

/// Whether there are keys, and whether watches are given one that works.
async fn keys(report: &mut Report, settings: &Settings, store: &Store) -> anyhow::Result<()> {
    if settings.authentication == Authentication::Off {
        report.good("keys", &format!("requests need none; the service listens on {}", settings.listen));
        return Ok(());
    }
    match api_key::measure(store).await? {
        0 => report.bad("keys", "requests need one and there is none: `vitals keys create` creates one"),
        in_force => report.good("keys", &format!("{in_force} keys in force")),
    }
    let now = Clock::read(store).await?.now();
    for configured in device_config::headers(store).await? {
        let tenant = configured.customer_id;
        let name = format!("{} of tenant {tenant}", configured.name);
        let Some(key) = of_header::<PresentedKey>(&configured.auth_header) else {
            report.bad(&name, "auth_header holds no key: watches are refused");
            continue;
        };
        let kept = api_key::find(store, &[key.key_id]).await?.remove(&key.key_id);
        let of = kept.as_ref().map(|kept| kept.customer_id);
        let is_valid = kept.is_some_and(|kept| CachedKey::of(key.key_id, kept).admits(&key, now));
        if !is_valid {
            report.bad(&name, "auth_header holds a key that no longer works: watches are refused");
        } else if of != Some(Some(tenant)) {
            let text = "auth_header holds a key of another tenant, or of all, and everyone with a key of this tenant can read it";
            report.bad(&name, text);
        }
    }
    Ok(())
}

/// Erasures that are not finished: Redis may still show values.
async fn erasures(report: &mut Report, store: &Store) -> anyhow::Result<()> {
    match erasure::ErasureSession::open(store).await?.pending().await {
        Ok(pending) if pending.is_empty() => {}
        Ok(pending) => {
            let text =
                format!("{} of which Redis still has values: run `vitals erase finish`", pending.len());
            report.bad("erasures", &text);
        }
        Err(error) if error.is_denied() => {
            report.good("erasures", "the role may not see what was erased");
        }
        Err(error) => return Err(error.into()),
    }
    Ok(())
}

fn ago(at: Timestamp) -> String {
    let span = Timestamp::now().since((Unit::Second, at)).unwrap_or_else(|_| 0.seconds());
    format!("{:.0} s", span.total(Unit::Second).unwrap_or_default())
}

struct Report {
    good: bool,
}

impl Report {
    fn good(&mut self, what: &str, finding: &str) {
        self.line("ok", what, finding);
    }

    /// A finding to know about, which does not cause exit code 1.
    fn warn(&mut self, what: &str, finding: &str) {
        self.line("warn", what, finding);
    }

    fn bad(&mut self, what: &str, finding: &str) {
        self.good = false;
        self.line("BAD", what, finding);
    }

    /// A line that cannot be written makes the report bad.
    fn line(&mut self, verdict: &str, what: &str, finding: &str) {
        self.good &= print(&format!("{verdict:<6}{what}: {finding}\n")).is_ok();
    }
}
