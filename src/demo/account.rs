//! The account of a demo: what was uploaded, and what the database and Redis hold of it.
//!
//! Before: `uploads` is done. After: standard output, and a failure if the account does not hold.
//! Promise: every figure is read from where a user would read it; what was answered to devices is compared with the tables.

use std::time::Duration;

use anyhow::bail;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use tokio::time::Instant;
use vitals_fleet::{Counts, PartReport};

use super::alerts;
use super::print_account;
use super::table::{Table, print_line, title, verdict};
use super::uploads::Uploaded;
use crate::cache;
use crate::command::text::{grouped, print};
use crate::config::Settings;
use crate::store::overview::{self, Bucket, RollupRows};
use crate::store::{Store, StoreError};

/// How long the relay may take to react to the last batches.
const DRAINED_WITHIN: Duration = Duration::from_secs(15);
/// How long the rollups may take to show late rows; a minute is promised, a refresh every 20 s is usual.
const ROLLED_UP_WITHIN: Duration = Duration::from_secs(60);
const CHECK_EVERY: Duration = Duration::from_millis(250);

const HOURS: i64 = 6;
const DAYS: i64 = 7;

/// One part of the uploads in a line.
pub(super) fn in_short(part: &PartReport) -> String {
    format!(
        "{} records in {:.1} s, {} a second, answered after commit in {:.1} ms (median), {:.1} ms (p99)",
        grouped(part.counts.acknowledged),
        part.seconds,
        grouped(part.records_per_second.round() as u64),
        part.latency.p50_ms,
        part.latency.p99_ms
    )
}

/// Waits for the reaction, then prints the account.
///
/// # Errors
/// Something cannot be read, or the account does not hold.
pub(super) async fn show(
    settings: &Settings,
    store: &Store,
    device_sn: &str,
    uploaded: &Uploaded,
) -> anyhow::Result<()> {
    let mut broken = Vec::new();
    let (waiting, drained_in) =
        wait_for(DRAINED_WITHIN, || overview::waiting(store), |left| *left == 0).await?;
    let rolled_up = wait_for_rollups(store).await?;
    show_uploads(uploaded)?;
    broken.extend(show_accounting(settings, store, uploaded).await?);
    show_rows(settings, store).await?;
    broken.extend(show_rollups(settings, store, device_sn, rolled_up).await?);
    broken.extend(show_redis(settings, device_sn, uploaded).await?);
    alerts::show(settings, store, uploaded.live_since).await?;
    print_line!("{}", title("Reaction"));
    let drained = verdict(waiting == 0, "drained", "NOT DRAINED");
    print_line!(
        "  outbox {drained} {:.1} s after the last upload, {waiting} transactions waiting",
        drained_in.as_secs_f64()
    );
    if waiting > 0 {
        broken.push(format!("{waiting} transactions were not reacted to"));
    }
    show_edition(store).await?;
    if !broken.is_empty() {
        bail!("the account does not hold: {}", broken.join("; "));
    }
    Ok(())
}

async fn wait_for_rollups(store: &Store) -> Result<RollupRows, StoreError> {
    let rolled_up = overview::rolled_up(store).await?;
    if rolled_up.rows == rolled_up.samples {
        return Ok(rolled_up);
    }
    print_account("rollups", "late rows are not in them yet; they will be within a minute");
    let is_whole = |it: &RollupRows| it.rows == it.samples;
    Ok(wait_for(ROLLED_UP_WITHIN, || overview::rolled_up(store), is_whole).await?.0)
}

/// Looks until it is as wanted or the time is over; what was seen last, and after how long.
async fn wait_for<T, F: Future<Output = Result<T, StoreError>>>(
    within: Duration,
    read: impl Fn() -> F,
    is_wanted: impl Fn(&T) -> bool,
) -> Result<(T, Duration), StoreError> {
    let began = Instant::now();
    loop {
        let seen = read().await?;
        if is_wanted(&seen) || began.elapsed() > within {
            return Ok((seen, began.elapsed()));
        }
        tokio::time::sleep(CHECK_EVERY).await;
    }
}

fn show_uploads(uploaded: &Uploaded) -> anyhow::Result<()> {
    print_line!("{}", title("Uploads, answered after commit"));
    let mut table = Table::new(&[
        "",
        "requests",
        "records",
        "records/s",
        "mean ms",
        "p50",
        "p95",
        "p99",
        "max",
        "errors",
    ]);
    for (name, part) in [("history", &uploaded.history), ("live", &uploaded.live)] {
        let Some(part) = part else { continue };
        let ms = |value: f64| format!("{value:.1}");
        table.row(vec![
            name.to_owned(),
            grouped(part.counts.requests),
            grouped(part.counts.acknowledged),
            grouped(part.records_per_second.round() as u64),
            ms(part.latency.mean_ms),
            ms(part.latency.p50_ms),
            ms(part.latency.p95_ms),
            ms(part.latency.p99_ms),
            ms(part.latency.max_ms),
            grouped(part.counts.errors()),
        ]);
    }
    print(&table.to_string())?;
    if let Some(live) = &uploaded.live {
        let (repeated, late) = (grouped(live.counts.repeated), grouped(live.counts.late));
        print_line!(
            "  of the live records {repeated} were sent twice on purpose, {late} came hours to days late"
        );
    }
    Ok(())
}

/// What the fleet was answered, and what the tables of this instance say. The tables may hold more: uploads by hand, and
/// those whose answer was lost.
async fn show_accounting(
    settings: &Settings,
    store: &Store,
    uploaded: &Uploaded,
) -> anyhow::Result<Vec<String>> {
    let account = overview::account(store, &settings.instance_name()).await?;
    let parts = || [&uploaded.history, &uploaded.live].into_iter().flatten().map(|part| &part.counts);
    let sum = |count: fn(&Counts) -> u64| parts().map(count).sum::<u64>();
    let answered =
        [sum(|it| it.acknowledged), sum(|it| it.stored), sum(|it| it.duplicate), sum(|it| it.rejected)];
    let kept = [account.received, account.stored, account.duplicate, account.rejected].map(i64::unsigned_abs);
    print_line!("{}", title("Accounting: received = stored + duplicate + rejected"));
    let mut table = Table::new(&["", "received", "stored", "duplicate", "rejected", ""]);
    for (name, counts) in [("answered to devices", answered), ("vitals.ingest_batch", kept)] {
        let mut row = vec![name.to_owned()];
        row.extend(counts.map(grouped));
        row.push(verdict(adds_up(counts), "adds up", "DOES NOT ADD UP"));
        table.row(row);
    }
    print(&table.to_string())?;
    let batches = grouped(account.batches.unsigned_abs());
    let records = account.received as f64 / account.batches.max(1) as f64;
    print_line!("  {batches} transactions, {records:.1} records in each");
    let mut broken = Vec::new();
    if !adds_up(answered) || !adds_up(kept) {
        broken.push("received is not stored + duplicate + rejected".to_owned());
    }
    if kept[0] < answered[0] || kept[1] < answered[1] {
        broken.push("answers to devices counted more records than the tables hold".to_owned());
    }
    for (kind, count) in parts().flat_map(|counts| &counts.errors) {
        broken.push(format!("{count} uploads: {kind}"));
    }
    Ok(broken)
}

fn adds_up([received, stored, duplicate, rejected]: [u64; 4]) -> bool {
    received == stored + duplicate + rejected
}

async fn show_rows(settings: &Settings, store: &Store) -> anyhow::Result<()> {
    let raw = overview::raw(store).await?;
    let zone = settings.device_zone();
    let minute = |at: Option<Timestamp>| at.map_or("-".to_owned(), |at| local(at, &zone, "%Y-%m-%d %H:%M"));
    print_line!("{}", title("Rows: health_data"));
    print_line!(
        "  {} rows of {} devices, {} to {} ({}), {} in {} chunks",
        grouped(raw.rows.unsigned_abs()),
        grouped(raw.devices.unsigned_abs()),
        minute(raw.first_ts),
        minute(raw.last_ts),
        settings.device_time_zone,
        megabytes(raw.bytes),
        raw.chunks
    );
    Ok(())
}

async fn show_rollups(
    settings: &Settings,
    store: &Store,
    device_sn: &str,
    rolled_up: RollupRows,
) -> anyhow::Result<Vec<String>> {
    let zone = TimeZone::get(&settings.rollup_time_zone)?;
    print_line!("{}", title(&format!("Rollups: health_hourly and health_daily of {device_sn}")));
    print(
        &buckets("hour", "%m-%d %H:%M", &zone, &overview::hours(store, device_sn, HOURS).await?).to_string(),
    )?;
    print("\n")?;
    print(&buckets("day", "%Y-%m-%d", &zone, &overview::days(store, device_sn, DAYS).await?).to_string())?;
    let RollupRows { rows, samples } = rolled_up;
    let equal = verdict(rows == samples, "equal", "NOT EQUAL");
    let (rows_text, samples_text) = (grouped(rows.unsigned_abs()), grouped(samples.unsigned_abs()));
    print_line!(
        "\n  all days of all devices hold {samples_text} samples, health_data {rows_text} rows: {equal}"
    );
    Ok(if rows == samples { Vec::new() } else { vec!["the rollups do not know every row".to_owned()] })
}

fn buckets(name: &'static str, form: &str, zone: &TimeZone, buckets: &[Bucket]) -> Table {
    let mut table = Table::new(&[name, "samples", "heart rate min", "avg", "max", "steps of the day"]);
    let text = |value: Option<String>| value.unwrap_or_else(|| "-".to_owned());
    for bucket in buckets {
        table.row(vec![
            local(bucket.bucket, zone, form),
            grouped(bucket.samples.unsigned_abs()),
            text(bucket.heart_rate_min.map(|bpm| bpm.to_string())),
            text(bucket.heart_rate_avg.map(|bpm| format!("{bpm:.1}"))),
            text(bucket.heart_rate_max.map(|bpm| bpm.to_string())),
            text(bucket.step_max.map(|steps| grouped(steps.unsigned_abs()))),
        ]);
    }
    table
}

async fn show_redis(
    settings: &Settings,
    device_sn: &str,
    uploaded: &Uploaded,
) -> anyhow::Result<Vec<String>> {
    const SHOWN: [&str; 5] = ["timestamp", "heartRate", "bloodOxygen", "temperature", "step"];
    let latest = cache::overview::latest(settings, device_sn).await?;
    print_line!("{}", title("Redis: what a dashboard sees"));
    let fields = SHOWN.iter().filter_map(|name| Some(format!("{name} {}", latest.get(*name)?)));
    print_line!("  health_data:{device_sn}  {}", fields.collect::<Vec<_>>().join(", "));
    let message = uploaded.message.as_deref();
    print_line!(
        "  health_data_channel:{device_sn}  {}",
        message.map_or("no message seen".to_owned(), |text| format!("said {text}"))
    );
    let mut broken = Vec::new();
    if latest.is_empty() {
        broken.push("Redis has no latest value of the device".to_owned());
    }
    if message.is_some_and(|text| text != device_sn) {
        broken.push("the channel of the device did not carry its serial".to_owned());
    }
    Ok(broken)
}

async fn show_edition(store: &Store) -> anyhow::Result<()> {
    let edition = overview::edition(store).await?;
    print_line!("{}", title("Edition"));
    let (name, explanation) = if edition.is_community {
        ("Community", "the rollups are continuous aggregates, kept by TimescaleDB's own jobs")
    } else {
        ("Apache", "it has no continuous aggregates: the service keeps the same rollups under the same names")
    };
    print_line!("  TimescaleDB {}, {name} edition, on PostgreSQL {}", edition.timescaledb, edition.postgres);
    print_line!("  {explanation}");
    Ok(())
}

fn local(at: Timestamp, zone: &TimeZone, form: &str) -> String {
    at.to_zoned(zone.clone()).strftime(form).to_string()
}

fn megabytes(bytes: i64) -> String {
    format!("{:.0} MB", bytes as f64 / 1e6)
}
