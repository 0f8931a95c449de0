//! Logs, and the names of all metrics with unit and meaning.
//!
//! Before: `main` starts it before anything else. After: every part records under [`names`].

use metrics::{Unit, describe_counter, describe_gauge, describe_histogram};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tracing_subscriber::EnvFilter;

use crate::config::{LogFormat, Settings};

/// Names of all metrics.
pub mod names {
    /// Requests by route and status.
    pub const REQUESTS: &str = "vitals_http_requests_total";
    /// Time from request head to answer.
    pub const REQUEST_SECONDS: &str = "vitals_http_request_seconds";
    /// Open connections.
    pub const CONNECTIONS: &str = "vitals_http_connections";
    /// Records by outcome: received, stored, duplicate, rejected.
    pub const RECORDS: &str = "vitals_ingest_records_total";
    /// Uploads refused because the queue was full, too many bodies were held, or the database was away.
    pub const REFUSED: &str = "vitals_ingest_refused_total";
    /// Rows waiting, by shard; asked for with the metrics.
    pub const QUEUE_ROWS: &str = "vitals_ingest_queue_rows";
    /// Rows of a transaction.
    pub const BATCH_ROWS: &str = "vitals_ingest_batch_rows";
    /// Time of a transaction, from its first statement to its commit.
    pub const BATCH_SECONDS: &str = "vitals_ingest_batch_seconds";
    /// Time of a statement by name.
    pub const STATEMENT_SECONDS: &str = "vitals_statement_seconds";
    /// Outbox rows reacted to.
    pub const REACTED: &str = "vitals_relay_reacted_total";
    /// Time from the writing of an outbox row to the end of the reaction.
    pub const REACTION_SECONDS: &str = "vitals_relay_reaction_seconds";
    /// How long the oldest outbox row has waited; asked for with the metrics.
    pub const OUTBOX_OLDEST_SECONDS: &str = "vitals_relay_oldest_outbox_seconds";
    /// Outbox rows that wait.
    pub const OUTBOX_ROWS: &str = "vitals_relay_outbox_rows";
    /// Latest values by what became of them: written, older (Redis had a newer one), missed (Redis was away).
    pub const LATEST: &str = "vitals_latest_values_total";
    /// 1 while the Redis view is known to be whole, else 0.
    pub const VIEW_WHOLE: &str = "vitals_latest_view_whole";
    /// Devices whose owner was not remembered, by where it was found: redis, database.
    pub const OWNERS_FOUND: &str = "vitals_owners_found_total";
    /// Notifications by channel and outcome of an attempt: sent, failed, limited, dead.
    pub const NOTIFICATIONS: &str = "vitals_notifications_total";
    /// Time from when a notification was due to when the provider had it, by channel.
    pub const NOTIFICATION_SECONDS: &str = "vitals_notification_delivery_seconds";
    /// Notifications that are due and wait, by channel.
    pub const NOTIFICATIONS_WAITING: &str = "vitals_notifications_waiting";
    /// How long the oldest of them has been due, by channel.
    pub const NOTIFICATION_OLDEST_SECONDS: &str = "vitals_notification_oldest_waiting_seconds";
    /// 1 while postgres or redis (label component) answers, else 0; asked for with the metrics.
    pub const COMPONENT_UP: &str = "vitals_component_up";
    /// Memory of the process that is in RAM; absent where the system does not tell.
    pub const MEMORY_BYTES: &str = "vitals_process_resident_bytes";
    /// Time of a refresh of the rollups.
    pub const REFRESH_SECONDS: &str = "vitals_rollup_refresh_seconds";
}

/// Starts logging to standard error.
///
/// # Errors
/// `log` is not a filter, or logging was started before.
pub fn init_logs(settings: &Settings) -> anyhow::Result<()> {
    let filter = EnvFilter::try_new(&settings.log)?;
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let started = match settings.log_format {
        LogFormat::Text => builder.try_init(),
        LogFormat::Json => builder.json().try_init(),
    };
    started.map_err(|error| anyhow::anyhow!("logs: {error}"))
}

/// Starts the recorder of metrics; the handle renders them for Prometheus.
///
/// # Errors
/// A recorder was started before.
pub fn init_metrics() -> anyhow::Result<PrometheusHandle> {
    let seconds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];
    let rows = [1.0, 10.0, 50.0, 100.0, 250.0, 500.0, 1000.0, 2500.0, 5000.0, 10000.0];
    let handle = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".into()), &seconds)?
        .set_buckets_for_metric(Matcher::Full(names::BATCH_ROWS.into()), &rows)?
        .install_recorder()?;
    describe();
    Ok(handle)
}

/// Records what the system says of this process.
pub fn measure_process() {
    let kibibytes = std::fs::read_to_string("/proc/self/status").ok().and_then(|status| {
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
        line.split_whitespace().next()?.parse::<u32>().ok()
    });
    if let Some(kibibytes) = kibibytes {
        metrics::gauge!(names::MEMORY_BYTES).set(f64::from(kibibytes) * 1024.0);
    }
}

fn describe() {
    describe_counter!(names::REQUESTS, "Requests by route and status");
    describe_histogram!(names::REQUEST_SECONDS, Unit::Seconds, "From request head to answer");
    describe_gauge!(names::CONNECTIONS, "Open connections");
    describe_counter!(names::RECORDS, "Records by outcome; received = stored + duplicate + rejected");
    describe_counter!(names::REFUSED, "Uploads answered 503, by reason");
    describe_gauge!(names::QUEUE_ROWS, "Rows waiting for a writer, by shard");
    describe_histogram!(names::BATCH_ROWS, "Rows in one transaction");
    describe_histogram!(names::BATCH_SECONDS, Unit::Seconds, "One transaction of the ingest");
    describe_histogram!(names::STATEMENT_SECONDS, Unit::Seconds, "One statement, by name");
    describe_counter!(names::REACTED, "Outbox rows reacted to");
    describe_histogram!(names::REACTION_SECONDS, Unit::Seconds, "From outbox row to reaction");
    describe_gauge!(names::OUTBOX_ROWS, "Outbox rows that wait");
    describe_counter!(names::LATEST, "Latest values, by what Redis did with them");
    describe_gauge!(names::VIEW_WHOLE, "1 while the Redis view is known to be whole");
    describe_counter!(names::OWNERS_FOUND, "Devices whose owner was not remembered, by where it was found");
    describe_counter!(names::NOTIFICATIONS, "Notifications, by channel and outcome of an attempt");
    describe_histogram!(
        names::NOTIFICATION_SECONDS,
        Unit::Seconds,
        "From when it was due to when the provider had it"
    );
    describe_gauge!(names::NOTIFICATIONS_WAITING, "Notifications that are due and wait, by channel");
    describe_gauge!(
        names::NOTIFICATION_OLDEST_SECONDS,
        Unit::Seconds,
        "How long the oldest of them has been due"
    );
    describe_gauge!(names::OUTBOX_OLDEST_SECONDS, Unit::Seconds, "How long the oldest outbox row has waited");
    describe_gauge!(names::COMPONENT_UP, "1 while postgres or redis answers");
    describe_gauge!(names::MEMORY_BYTES, Unit::Bytes, "Memory of the process that is in RAM");
    describe_histogram!(names::REFRESH_SECONDS, Unit::Seconds, "One refresh of the rollups");
}
