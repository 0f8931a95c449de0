//! Names of all metrics, with unit and meaning.
//!
//! Before: every part records under a name. After: Prometheus reads them from `/metrics`, with these descriptions.

use metrics::{Unit, describe_counter as counter, describe_gauge as gauge, describe_histogram as histogram};

/// The text of an entry is its description for Prometheus and the first line of its documentation; a comment above it adds to it.
macro_rules! names {
    ($($(#[$more:meta])* $kind:ident $name:ident = $metric:literal $(in $unit:ident)?: $description:literal;)*) => {
        $(
            #[doc = $description]
            ///
            $(#[$more])*
            pub const $name: &str = $metric;
        )*

        /// Registers unit and description of each metric.
        pub(super) fn describe() {
            $($kind!($name, $(Unit::$unit,)? $description);)*
        }
    };
}

names! {
    counter REQUESTS = "vitals_http_requests_total": "Requests by route and status";
    histogram REQUEST_SECONDS = "vitals_http_request_seconds" in Seconds: "From request head to answer";
    gauge CONNECTIONS = "vitals_http_connections": "Open connections";
    /// States: handshake, waiting (for a request), answering. Counted at each scrape.
    gauge CONNECTIONS_BY_STATE = "vitals_http_connections_by_state": "Open connections, by what they do";
    /// Reasons: connections, address_connections, network_connections, handshake, unauthenticated, forbidden, other_site, address_rate, key_rate, failure_rate, login_rate, streams.
    counter TURNED_AWAY = "vitals_http_turned_away_total":
        "Connections and requests that were refused at the door, by reason";
    /// Outcomes: password, oidc, wrong, nothing_granted, limited, unavailable.
    counter LOGINS = "vitals_logins_total": "Logins of people, by outcome";
    /// It holds one row for repeats of the same within `access_log_repeat_seconds`.
    counter ACCESS_LOG_WRITTEN = "vitals_access_log_written_total":
        "Rows of the log of who looked at whose data";
    /// The queue was full, or the database refused them, or they were not written when the service stopped.
    counter ACCESS_LOG_LOST = "vitals_access_log_lost_total":
        "Entries of the log of who looked at whose data that were not written";
    counter RECORDS = "vitals_ingest_records_total":
        "Records by outcome; received = stored + duplicate + rejected";
    /// Kinds: sample, device_info, event (names of fields), event_type. `vitals rejected names` lists them.
    counter UNKNOWN_NAMES = "vitals_ingest_unknown_names_total":
        "Names in uploads that have no meaning here, by kind";
    /// The queue was full, too many bodies were held, or the database was away.
    counter REFUSED = "vitals_ingest_refused_total": "Uploads answered 503, by reason";
    /// Measured at each scrape.
    gauge QUEUE_ROWS = "vitals_ingest_queue_rows": "Rows waiting for a writer, by shard";
    /// The setting `queue_rows`.
    gauge QUEUE_CAPACITY = "vitals_ingest_queue_capacity_rows": "Rows that may wait for a writer, by shard";
    /// To the start of the transaction.
    histogram QUEUE_SECONDS = "vitals_ingest_queue_seconds" in Seconds:
        "From an upload's entry into a queue to its transaction";
    /// Outcomes: answered; stored here instead: away (the other cell was not asked), failed (no answer), refused (any status but 200 and 400).
    counter PASSED_ON = "vitals_ingest_passed_on_total":
        "Uploads of devices that live in another cell, by outcome";
    histogram BATCH_ROWS = "vitals_ingest_batch_rows": "Rows in one transaction";
    /// From its first statement to its commit.
    histogram BATCH_SECONDS = "vitals_ingest_batch_seconds" in Seconds: "One transaction of the ingest";
    /// `batch.copy_fresh` is the COPY of a batch, `batch.commit` its commit.
    histogram STATEMENT_SECONDS = "vitals_statement_seconds" in Seconds: "One statement, by name";
    /// Outcomes: buffered, buffer_full, buffer_unavailable, buffer_not_durable; shadow_skipped: an upload that was not to be compared after all.
    counter BUFFER_APPENDED = "vitals_buffer_appended_total": "Uploads that were to be buffered, by outcome";
    /// Measured by each instance, several times a second, as the next ones.
    gauge BUFFER_UPLOADS = "vitals_buffer_uploads": "Buffered uploads that are not committed yet";
    gauge BUFFER_BYTES = "vitals_buffer_bytes" in Bytes: "Memory that buffered uploads take in Redis";
    /// The setting `buffer_max_bytes`.
    gauge BUFFER_MAX_BYTES = "vitals_buffer_max_bytes" in Bytes: "Memory that buffered uploads may take in Redis";
    gauge BUFFER_OLDEST_SECONDS = "vitals_buffer_oldest_seconds" in Seconds: "How long the oldest buffered upload has waited";
    gauge BUFFER_PENDING = "vitals_buffer_pending": "Buffered uploads that an instance has read and not committed yet";
    /// Absent where the server does not know it.
    gauge BUFFER_LAG = "vitals_buffer_lag": "Buffered uploads that no instance has read yet";
    histogram BUFFER_GROUP_UPLOADS = "vitals_buffer_group_uploads": "Uploads appended together";
    histogram BUFFER_GROUP_SECONDS = "vitals_buffer_group_seconds" in Seconds: "From the start of an append until it is on disk";
    counter BUFFER_DRAINED = "vitals_buffer_drained_total": "Buffered uploads that were committed";
    /// Outcomes: stored, duplicate, rejected; erased: it was erased after it was received, and is not stored.
    counter BUFFER_DRAINED_RECORDS = "vitals_buffer_drained_records_total": "Records of buffered uploads that were committed, by outcome";
    /// Statuses: not_evaluated, stored.
    counter BUFFER_URGENT_EVENTS = "vitals_buffer_urgent_events_total": "Urgent events in the buffer that were announced, by status";
    /// Kinds: same, missing, different, not_rejected; unreadable counts uploads. Only with `buffer_shadow`.
    counter BUFFER_SHADOW_RECORDS = "vitals_buffer_shadow_records_total":
        "Records of shadow uploads that were compared with what is stored, by kind";
    gauge STREAMS_OPEN = "vitals_streams_open": "Event streams of pages that are open";
    /// By event: hello, alert, latest, device, tick, reset.
    counter STREAM_EVENTS = "vitals_stream_events_total": "Events sent to open pages, by event";
    /// Reasons: slow (it did not read fast enough), too_old (it was away for too long), database (gone back, another one, or away).
    counter STREAM_RESETS = "vitals_stream_resets_total": "Open pages that had to read everything anew, by reason";
    counter REACTED = "vitals_relay_reacted_total": "Outbox rows reacted to";
    /// From the writing of the row to the end of the reaction.
    histogram REACTION_SECONDS = "vitals_relay_reaction_seconds" in Seconds: "From outbox row to reaction";
    /// Measured at each scrape.
    gauge OUTBOX_OLDEST_SECONDS = "vitals_relay_oldest_outbox_seconds" in Seconds:
        "How long the oldest outbox row has waited";
    gauge OUTBOX_ROWS = "vitals_relay_outbox_rows": "Outbox rows that wait";
    /// Part of `outbox.finish`.
    histogram ALERT_SECONDS = "vitals_alert_evaluation_seconds" in Seconds: "The alert rules, for one claim";
    /// The setting `clock_off_seconds`. Measured at each scrape.
    gauge DEVICES_CLOCK_OFF = "vitals_devices_clock_off": "Devices whose clock is behind or ahead by more than the setting";
    /// Outcomes: written, older (Redis had a newer one), missed (Redis was away).
    counter LATEST = "vitals_latest_values_total": "Latest values, by what Redis did with them";
    /// Else 0.
    gauge VIEW_WHOLE = "vitals_latest_view_whole": "1 while the Redis view is known to be whole";
    /// Places: memory, redis, database.
    counter OWNERS_FOUND = "vitals_owners_found_total":
        "Lookups of the owner of a device, by where it was found";
    /// Outcomes: sent, failed, limited, dead.
    counter NOTIFICATIONS = "vitals_notifications_total":
        "Notifications, by channel and outcome of an attempt";
    /// By channel.
    histogram NOTIFICATION_SECONDS = "vitals_notification_delivery_seconds" in Seconds:
        "From when it was due to when the provider had it";
    gauge NOTIFICATIONS_WAITING = "vitals_notifications_waiting":
        "Notifications that are due and wait, by channel";
    /// By channel.
    gauge NOTIFICATION_OLDEST_SECONDS = "vitals_notification_oldest_waiting_seconds" in Seconds:
        "How long the oldest of them has been due";
    /// Else 0; by component; measured at each scrape.
    gauge COMPONENT_UP = "vitals_component_up": "1 while postgres or redis answers, and while the buffer takes uploads";
    /// States: used, idle.
    gauge POOL_CONNECTIONS = "vitals_pool_connections": "Connections of the pool to PostgreSQL, by state";
    gauge POOL_MAX = "vitals_pool_max_connections": "Most connections the pool may have";
    /// Of the pool.
    gauge POOL_WAITING = "vitals_pool_waiting": "Callers that wait for a connection";
    /// From the pool.
    histogram POOL_WAIT_SECONDS = "vitals_pool_wait_seconds" in Seconds: "The wait for a connection";
    /// A read that fails on a standby is repeated on the primary, and counted there.
    counter READS = "vitals_reads_total": "Reads of lists and statistics by server: primary, standby";
    gauge MEMORY_BYTES = "vitals_process_resident_bytes" in Bytes: "Memory of the process that is in RAM";
    /// The limit of its control group, else the machine's.
    gauge MEMORY_LIMIT_BYTES = "vitals_process_memory_limit_bytes" in Bytes: "Memory the process may use";
    counter CPU_SECONDS = "vitals_process_cpu_seconds_total" in Seconds: "Processor time used";
    /// By name, as at `/api/system_alerts`.
    gauge SYSTEM_ALERT = "vitals_system_alert": "1 while operators are notified of this condition";
    counter OPERATOR_MESSAGES = "vitals_operator_messages_total":
        "Messages to operators, by channel and outcome of an attempt";
    /// Measured at each scrape, as the next one.
    gauge REFRESH_DUE_SECONDS = "vitals_rollup_refresh_due_seconds" in Seconds:
        "For how long a refresh of the rollups has been due; 0: it is not";
    /// States: ok, failed, failed_after_work, overdue, not_scheduled, runs_too_long, crashed, missing. None on the Apache edition.
    gauge JOBS = "vitals_jobs": "Jobs of TimescaleDB that are watched, by state";
    histogram REFRESH_SECONDS = "vitals_rollup_refresh_seconds" in Seconds: "One refresh of the rollups";
}
