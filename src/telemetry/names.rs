//! Names of all metrics, with unit and meaning.
//!
//! Before: every part records under a name. After: Prometheus reads them from `/metrics`, with the same meaning.

use metrics::{Unit, describe_counter, describe_gauge, describe_histogram};

/// Requests by route and status.
pub const REQUESTS: &str = "vitals_http_requests_total";
/// Time from request head to answer.
pub const REQUEST_SECONDS: &str = "vitals_http_request_seconds";
/// Open connections.
pub const CONNECTIONS: &str = "vitals_http_connections";
/// Connections and requests that the door did not let through, by reason: connections, handshake, unauthenticated, forbidden,
/// address_rate, key_rate, failure_rate.
pub const TURNED_AWAY: &str = "vitals_http_turned_away_total";
/// Records by outcome: received, stored, duplicate, rejected.
pub const RECORDS: &str = "vitals_ingest_records_total";
/// Uploads refused because the queue was full, too many bodies were held, or the database was away.
pub const REFUSED: &str = "vitals_ingest_refused_total";
/// Rows waiting, by shard; asked for with the metrics.
pub const QUEUE_ROWS: &str = "vitals_ingest_queue_rows";
/// Rows that may wait, by shard: `queue_rows`.
pub const QUEUE_CAPACITY: &str = "vitals_ingest_queue_capacity_rows";
/// Time from an upload's entry into a queue to the start of its transaction.
pub const QUEUE_SECONDS: &str = "vitals_ingest_queue_seconds";
/// Rows of a transaction.
pub const BATCH_ROWS: &str = "vitals_ingest_batch_rows";
/// Time of a transaction, from its first statement to its commit.
pub const BATCH_SECONDS: &str = "vitals_ingest_batch_seconds";
/// Time of a statement by name: `batch.copy_fresh` is the COPY of a batch, `batch.commit` its commit.
pub const STATEMENT_SECONDS: &str = "vitals_statement_seconds";
/// Outbox rows reacted to.
pub const REACTED: &str = "vitals_relay_reacted_total";
/// Time from the writing of an outbox row to the end of the reaction.
pub const REACTION_SECONDS: &str = "vitals_relay_reaction_seconds";
/// How long the oldest outbox row has waited; asked for with the metrics.
pub const OUTBOX_OLDEST_SECONDS: &str = "vitals_relay_oldest_outbox_seconds";
/// Outbox rows that wait.
pub const OUTBOX_ROWS: &str = "vitals_relay_outbox_rows";
/// Time the alert rules took for a claim, part of `outbox.finish`.
pub const ALERT_SECONDS: &str = "vitals_alert_evaluation_seconds";
/// Latest values by what became of them: written, older (Redis had a newer one), missed (Redis was away).
pub const LATEST: &str = "vitals_latest_values_total";
/// 1 while the Redis view is known to be whole, else 0.
pub const VIEW_WHOLE: &str = "vitals_latest_view_whole";
/// Looks for the owner of a device, by where it was found: memory, redis, database.
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
/// Connections of the pool to PostgreSQL, by state: used, idle.
pub const POOL_CONNECTIONS: &str = "vitals_pool_connections";
/// Most connections the pool may have.
pub const POOL_MAX: &str = "vitals_pool_max_connections";
/// Callers that wait for a connection of the pool.
pub const POOL_WAITING: &str = "vitals_pool_waiting";
/// Time to get a connection from the pool.
pub const POOL_WAIT_SECONDS: &str = "vitals_pool_wait_seconds";
/// Memory of the process that is in RAM.
pub const MEMORY_BYTES: &str = "vitals_process_resident_bytes";
/// Memory the process may use: the limit of its control group, else the machine's.
pub const MEMORY_LIMIT_BYTES: &str = "vitals_process_memory_limit_bytes";
/// Processor time the process has used.
pub const CPU_SECONDS: &str = "vitals_process_cpu_seconds_total";
/// 1 while a condition of the service is told to operators, by name; as at `/api/system_alerts`.
pub const SYSTEM_ALERT: &str = "vitals_system_alert";
/// Messages to operators, by channel and outcome of an attempt.
pub const OPERATORS_TOLD: &str = "vitals_operator_messages_total";
/// Time of a refresh of the rollups.
pub const REFRESH_SECONDS: &str = "vitals_rollup_refresh_seconds";

/// Tells the recorder unit and meaning of each.
pub(super) fn describe() {
    describe_counter!(REQUESTS, "Requests by route and status");
    describe_histogram!(REQUEST_SECONDS, Unit::Seconds, "From request head to answer");
    describe_gauge!(CONNECTIONS, "Open connections");
    describe_counter!(TURNED_AWAY, "Connections and requests the door did not let through, by reason");
    describe_counter!(RECORDS, "Records by outcome; received = stored + duplicate + rejected");
    describe_counter!(REFUSED, "Uploads answered 503, by reason");
    describe_gauge!(QUEUE_CAPACITY, "Rows that may wait for a writer, by shard");
    describe_gauge!(QUEUE_ROWS, "Rows waiting for a writer, by shard");
    describe_histogram!(
        QUEUE_SECONDS,
        Unit::Seconds,
        "From an upload's entry into a queue to its transaction"
    );
    describe_histogram!(BATCH_ROWS, "Rows in one transaction");
    describe_histogram!(BATCH_SECONDS, Unit::Seconds, "One transaction of the ingest");
    describe_histogram!(STATEMENT_SECONDS, Unit::Seconds, "One statement, by name");
    describe_counter!(REACTED, "Outbox rows reacted to");
    describe_histogram!(REACTION_SECONDS, Unit::Seconds, "From outbox row to reaction");
    describe_gauge!(OUTBOX_ROWS, "Outbox rows that wait");
    describe_histogram!(ALERT_SECONDS, Unit::Seconds, "The alert rules, for one claim");
    describe_counter!(LATEST, "Latest values, by what Redis did with them");
    describe_gauge!(VIEW_WHOLE, "1 while the Redis view is known to be whole");
    describe_counter!(OWNERS_FOUND, "Looks for the owner of a device, by where it was found");
    describe_counter!(NOTIFICATIONS, "Notifications, by channel and outcome of an attempt");
    describe_histogram!(
        NOTIFICATION_SECONDS,
        Unit::Seconds,
        "From when it was due to when the provider had it"
    );
    describe_gauge!(NOTIFICATIONS_WAITING, "Notifications that are due and wait, by channel");
    describe_gauge!(NOTIFICATION_OLDEST_SECONDS, Unit::Seconds, "How long the oldest of them has been due");
    describe_gauge!(OUTBOX_OLDEST_SECONDS, Unit::Seconds, "How long the oldest outbox row has waited");
    describe_gauge!(COMPONENT_UP, "1 while postgres or redis answers");
    describe_gauge!(POOL_CONNECTIONS, "Connections of the pool to PostgreSQL, by state");
    describe_gauge!(POOL_MAX, "Most connections the pool may have");
    describe_gauge!(POOL_WAITING, "Callers that wait for a connection");
    describe_histogram!(POOL_WAIT_SECONDS, Unit::Seconds, "The wait for a connection");
    describe_gauge!(MEMORY_BYTES, Unit::Bytes, "Memory of the process that is in RAM");
    describe_gauge!(MEMORY_LIMIT_BYTES, Unit::Bytes, "Memory the process may use");
    describe_counter!(CPU_SECONDS, Unit::Seconds, "Processor time used");
    describe_gauge!(SYSTEM_ALERT, "1 while this condition is told to operators");
    describe_counter!(OPERATORS_TOLD, "Messages to operators, by channel and outcome of an attempt");
    describe_histogram!(REFRESH_SECONDS, Unit::Seconds, "One refresh of the rollups");
}
