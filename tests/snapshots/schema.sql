table device: One row per device ever heard of, bound to somebody or not.
    device_sn text not null: Serial number, as the device sends it.
    first_seen_at timestamp with time zone not null default now(): When the service first reacted to data of the device.
    constraint device_pkey PRIMARY KEY (device_sn)
rollup health_15m.device_sn text
rollup health_15m.bucket timestamp with time zone
rollup health_15m.samples bigint
rollup health_15m.first_ts timestamp with time zone
rollup health_15m.last_ts timestamp with time zone
rollup health_15m.heart_rate_min smallint
rollup health_15m.heart_rate_max smallint
rollup health_15m.heart_rate_sum bigint
rollup health_15m.heart_rate_count bigint
rollup health_15m.heart_rate_avg numeric
rollup health_15m.blood_oxygen_min smallint
rollup health_15m.blood_oxygen_max smallint
rollup health_15m.blood_oxygen_sum bigint
rollup health_15m.blood_oxygen_count bigint
rollup health_15m.blood_oxygen_avg numeric
rollup health_15m.temperature_min numeric
rollup health_15m.temperature_max numeric
rollup health_15m.temperature_sum numeric
rollup health_15m.temperature_count bigint
rollup health_15m.temperature_avg numeric
rollup health_15m.pressure_high_min smallint
rollup health_15m.pressure_high_max smallint
rollup health_15m.pressure_high_sum bigint
rollup health_15m.pressure_high_count bigint
rollup health_15m.pressure_high_avg numeric
rollup health_15m.pressure_low_min smallint
rollup health_15m.pressure_low_max smallint
rollup health_15m.pressure_low_sum bigint
rollup health_15m.pressure_low_count bigint
rollup health_15m.pressure_low_avg numeric
rollup health_15m.stress_min smallint
rollup health_15m.stress_max smallint
rollup health_15m.stress_sum bigint
rollup health_15m.stress_count bigint
rollup health_15m.stress_avg numeric
rollup health_15m.step_max integer
rollup health_15m.distance_max numeric
rollup health_15m.calorie_max numeric
rollup health_daily.device_sn text
rollup health_daily.bucket timestamp with time zone
rollup health_daily.samples bigint
rollup health_daily.first_ts timestamp with time zone
rollup health_daily.last_ts timestamp with time zone
rollup health_daily.heart_rate_min smallint
rollup health_daily.heart_rate_max smallint
rollup health_daily.heart_rate_sum bigint
rollup health_daily.heart_rate_count bigint
rollup health_daily.heart_rate_avg numeric
rollup health_daily.blood_oxygen_min smallint
rollup health_daily.blood_oxygen_max smallint
rollup health_daily.blood_oxygen_sum bigint
rollup health_daily.blood_oxygen_count bigint
rollup health_daily.blood_oxygen_avg numeric
rollup health_daily.temperature_min numeric
rollup health_daily.temperature_max numeric
rollup health_daily.temperature_sum numeric
rollup health_daily.temperature_count bigint
rollup health_daily.temperature_avg numeric
rollup health_daily.pressure_high_min smallint
rollup health_daily.pressure_high_max smallint
rollup health_daily.pressure_high_sum bigint
rollup health_daily.pressure_high_count bigint
rollup health_daily.pressure_high_avg numeric
rollup health_daily.pressure_low_min smallint
rollup health_daily.pressure_low_max smallint
rollup health_daily.pressure_low_sum bigint
rollup health_daily.pressure_low_count bigint
rollup health_daily.pressure_low_avg numeric
rollup health_daily.stress_min smallint
rollup health_daily.stress_max smallint
rollup health_daily.stress_sum bigint
rollup health_daily.stress_count bigint
rollup health_daily.stress_avg numeric
rollup health_daily.step_max integer
rollup health_daily.distance_max numeric
rollup health_daily.calorie_max numeric
table health_data: One row per device and instant: what a wearable measured. Hypertable, one chunk a day. Dashboards read the rollups instead.
    device_sn text not null: Serial number of the device, as it sends it.
    ts timestamp with time zone not null: When the sample was taken (event time). A naive device time is read in the configured device zone.
    received_at timestamp with time zone not null default now(): When the service took the upload in which the row first came.
    batch_id bigint not null default txid_current(): Transaction that last wrote the row (txid_current()); joins outbox and vitals.ingest_batch.
    customer_id bigint: Tenant, 64 bit. NULL: not known.
    org_id bigint: Organisation unit, 64 bit. NULL: not known.
    user_id bigint: Wearer, 64 bit. NULL: not known.
    heart_rate smallint: Heart rate, beats per minute. NULL: not measured (devices send 0).
    blood_oxygen smallint: Peripheral oxygen saturation (SpO2), percent. NULL: not measured.
    temperature numeric: Body temperature, degrees Celsius, as many decimals as sent. NULL: not measured.
    pressure_high smallint: Systolic blood pressure, mmHg; derived by the watch, not measured. NULL: none.
    pressure_low smallint: Diastolic blood pressure, mmHg; derived by the watch, not measured. NULL: none.
    stress smallint: Stress score, 1 to 100. NULL: not measured.
    step integer: Steps of the local day so far; a running total that restarts at local midnight. 0 is real. NULL: not sent.
    distance numeric: Distance of the local day so far, metres; a running total. 0 is real. NULL: not sent.
    calorie numeric: Energy of the local day so far, small calories; a running total. 0 is real. NULL: not sent.
    latitude double precision: Latitude, degrees north, WGS 84. NULL: no position (devices send 0/0).
    longitude double precision: Longitude, degrees east, WGS 84. NULL: no position.
    altitude double precision: Altitude, metres. NULL: none.
    upload_method text: Channel the sample came by: wifi, bluetooth, common_event, esim, or what the device said. NULL: not said.
    constraint health_data_pkey PRIMARY KEY (device_sn, ts)
    CREATE INDEX health_data_batch_id_idx ON public.health_data USING btree (batch_id)
    CREATE TRIGGER health_data_outbox AFTER INSERT ON public.health_data FOR EACH STATEMENT EXECUTE FUNCTION outbox_add()
    CREATE TRIGGER health_data_rollup_truncate AFTER TRUNCATE ON public.health_data FOR EACH STATEMENT EXECUTE FUNCTION empty_rollups_on_truncate()
table health_document: Nested documents of samples (sleep, exercise, workouts), the text exactly as sent, each content once per device and kind.
    device_sn text not null: Serial number of the device.
    ts timestamp with time zone not null: Event time of the first sample that carried the document.
    kind text not null: Which document: sleep, exercise_daily, exercise_week, scientific_sleep, workout.
    body text not null: The document as sent.
    received_at timestamp with time zone not null default now(): When the service took the upload.
    batch_id bigint not null default txid_current(): Transaction that wrote the row (txid_current()).
    constraint health_document_kind_check CHECK ((kind = ANY (ARRAY['sleep'::text, 'exercise_daily'::text, 'exercise_week'::text, 'scientific_sleep'::text, 'workout'::text])))
    CREATE UNIQUE INDEX health_document_content_key ON public.health_document USING btree (device_sn, kind, md5(body))
    CREATE INDEX health_document_ts_idx ON public.health_document USING btree (device_sn, ts)
rollup health_hourly.device_sn text
rollup health_hourly.bucket timestamp with time zone
rollup health_hourly.samples bigint
rollup health_hourly.first_ts timestamp with time zone
rollup health_hourly.last_ts timestamp with time zone
rollup health_hourly.heart_rate_min smallint
rollup health_hourly.heart_rate_max smallint
rollup health_hourly.heart_rate_sum bigint
rollup health_hourly.heart_rate_count bigint
rollup health_hourly.heart_rate_avg numeric
rollup health_hourly.blood_oxygen_min smallint
rollup health_hourly.blood_oxygen_max smallint
rollup health_hourly.blood_oxygen_sum bigint
rollup health_hourly.blood_oxygen_count bigint
rollup health_hourly.blood_oxygen_avg numeric
rollup health_hourly.temperature_min numeric
rollup health_hourly.temperature_max numeric
rollup health_hourly.temperature_sum numeric
rollup health_hourly.temperature_count bigint
rollup health_hourly.temperature_avg numeric
rollup health_hourly.pressure_high_min smallint
rollup health_hourly.pressure_high_max smallint
rollup health_hourly.pressure_high_sum bigint
rollup health_hourly.pressure_high_count bigint
rollup health_hourly.pressure_high_avg numeric
rollup health_hourly.pressure_low_min smallint
rollup health_hourly.pressure_low_max smallint
rollup health_hourly.pressure_low_sum bigint
rollup health_hourly.pressure_low_count bigint
rollup health_hourly.pressure_low_avg numeric
rollup health_hourly.stress_min smallint
rollup health_hourly.stress_max smallint
rollup health_hourly.stress_sum bigint
rollup health_hourly.stress_count bigint
rollup health_hourly.stress_avg numeric
rollup health_hourly.step_max integer
rollup health_hourly.distance_max numeric
rollup health_hourly.calorie_max numeric
rollup health_monthly.device_sn text
rollup health_monthly.bucket timestamp with time zone
rollup health_monthly.samples bigint
rollup health_monthly.first_ts timestamp with time zone
rollup health_monthly.last_ts timestamp with time zone
rollup health_monthly.heart_rate_min smallint
rollup health_monthly.heart_rate_max smallint
rollup health_monthly.heart_rate_sum bigint
rollup health_monthly.heart_rate_count bigint
rollup health_monthly.heart_rate_avg numeric
rollup health_monthly.blood_oxygen_min smallint
rollup health_monthly.blood_oxygen_max smallint
rollup health_monthly.blood_oxygen_sum bigint
rollup health_monthly.blood_oxygen_count bigint
rollup health_monthly.blood_oxygen_avg numeric
rollup health_monthly.temperature_min numeric
rollup health_monthly.temperature_max numeric
rollup health_monthly.temperature_sum numeric
rollup health_monthly.temperature_count bigint
rollup health_monthly.temperature_avg numeric
rollup health_monthly.pressure_high_min smallint
rollup health_monthly.pressure_high_max smallint
rollup health_monthly.pressure_high_sum bigint
rollup health_monthly.pressure_high_count bigint
rollup health_monthly.pressure_high_avg numeric
rollup health_monthly.pressure_low_min smallint
rollup health_monthly.pressure_low_max smallint
rollup health_monthly.pressure_low_sum bigint
rollup health_monthly.pressure_low_count bigint
rollup health_monthly.pressure_low_avg numeric
rollup health_monthly.stress_min smallint
rollup health_monthly.stress_max smallint
rollup health_monthly.stress_sum bigint
rollup health_monthly.stress_count bigint
rollup health_monthly.stress_avg numeric
rollup health_monthly.step_max integer
rollup health_monthly.step_sum bigint
rollup health_monthly.distance_max numeric
rollup health_monthly.distance_sum numeric
rollup health_monthly.calorie_max numeric
rollup health_monthly.calorie_sum numeric
rollup health_weekly.device_sn text
rollup health_weekly.bucket timestamp with time zone
rollup health_weekly.samples bigint
rollup health_weekly.first_ts timestamp with time zone
rollup health_weekly.last_ts timestamp with time zone
rollup health_weekly.heart_rate_min smallint
rollup health_weekly.heart_rate_max smallint
rollup health_weekly.heart_rate_sum bigint
rollup health_weekly.heart_rate_count bigint
rollup health_weekly.heart_rate_avg numeric
rollup health_weekly.blood_oxygen_min smallint
rollup health_weekly.blood_oxygen_max smallint
rollup health_weekly.blood_oxygen_sum bigint
rollup health_weekly.blood_oxygen_count bigint
rollup health_weekly.blood_oxygen_avg numeric
rollup health_weekly.temperature_min numeric
rollup health_weekly.temperature_max numeric
rollup health_weekly.temperature_sum numeric
rollup health_weekly.temperature_count bigint
rollup health_weekly.temperature_avg numeric
rollup health_weekly.pressure_high_min smallint
rollup health_weekly.pressure_high_max smallint
rollup health_weekly.pressure_high_sum bigint
rollup health_weekly.pressure_high_count bigint
rollup health_weekly.pressure_high_avg numeric
rollup health_weekly.pressure_low_min smallint
rollup health_weekly.pressure_low_max smallint
rollup health_weekly.pressure_low_sum bigint
rollup health_weekly.pressure_low_count bigint
rollup health_weekly.pressure_low_avg numeric
rollup health_weekly.stress_min smallint
rollup health_weekly.stress_max smallint
rollup health_weekly.stress_sum bigint
rollup health_weekly.stress_count bigint
rollup health_weekly.stress_avg numeric
rollup health_weekly.step_max integer
rollup health_weekly.step_sum bigint
rollup health_weekly.distance_max numeric
rollup health_weekly.distance_sum numeric
rollup health_weekly.calorie_max numeric
rollup health_weekly.calorie_sum numeric
table ingest_batch: Accounting: one row per transaction of the ingest, written in it. A replay moves records from rejected to stored or duplicate.
    committed_at timestamp with time zone not null default now(): Start of the transaction that was committed.
    batch_id bigint not null default txid_current(): The transaction (txid_current()); equals health_data.batch_id of its rows.
    instance text not null: Which instance of the service wrote it.
    shard smallint not null: Which of its writers. -1: a replay of rejected items (vitals rejected replay).
    received integer not null: Records the batch was made of. 0 for a replay: its records were received, and counted, when they were rejected.
    stored integer not null: Records that became a new row of health_data.
    duplicate integer not null: Records whose (device_sn, ts) was there already, in the table or earlier in the batch.
    rejected integer not null: Records that are in rejected_upload instead. Negative for a replay: as many left rejected_upload.
    constraint ingest_batch_sum_check CHECK ((received = ((stored + duplicate) + rejected)))
    CREATE INDEX ingest_batch_committed_at_idx ON vitals.ingest_batch USING btree (committed_at DESC)
table latest_view: One row: which build of the Redis view of latest values is good. A Redis that holds another is rebuilt.
    only_row boolean not null default true: Always true: there is one view.
    view_id uuid not null default gen_random_uuid(): Tells the view of this database from that of another that used the same Redis.
    generation bigint not null default 1: Raised when a reaction was finished without Redis.
    constraint latest_view_only_row_check CHECK (only_row)
    constraint latest_view_pkey PRIMARY KEY (only_row)
table outbox: Committed transactions on health_data that were not reacted to yet. Deleting a row undoes nothing but the reaction.
    batch_id bigint not null default txid_current(): The writing transaction (txid_current()); equals health_data.batch_id of its rows.
    first_ts timestamp with time zone: Oldest event time in the batch. NULL: a writer that did not say (see trigger health_data_outbox).
    last_ts timestamp with time zone: Newest event time in the batch. NULL with first_ts.
    rows integer: Rows the batch offered to health_data. NULL: not known.
    created_at timestamp with time zone not null default clock_timestamp(): When the writer said so, before its commit.
    lease_token uuid: Which relay is at work on it. NULL: nobody was yet.
    leased_until timestamp with time zone: When the lease ends and another relay may claim the row. NULL: nobody was at work on it yet.
    attempts smallint not null default 0: How often it was claimed; from the third time on it is reacted to by itself.
    constraint outbox_lease_check CHECK (((lease_token IS NULL) = (leased_until IS NULL)))
    constraint outbox_pkey PRIMARY KEY (batch_id)
    constraint outbox_range_check CHECK ((((first_ts IS NULL) = (last_ts IS NULL)) AND (first_ts <= last_ts)))
table policy: One row per relation a DBA has a say in.
    relation text not null: health_data or a rollup.
    keep_for interval: Age at which rows may be dropped; uploads older than health_data's are rejected, and no refresh reaches behind it. NULL: kept for ever.
    refresh_every interval: How often the rollup is brought up to date. NULL: not a rollup.
    refresh_lag interval: How far behind now materialisation stays; what is younger is computed when read. NULL: not a rollup.
    constraint policy_keep_for_check CHECK ((keep_for > '00:00:00'::interval))
    constraint policy_pkey PRIMARY KEY (relation)
    constraint policy_refresh_every_check CHECK ((refresh_every > '00:00:00'::interval))
    constraint policy_refresh_lag_check CHECK ((refresh_lag >= '00:00:00'::interval))
table rejected_upload: Items that could not be stored, with the reason and their original text.
    rejected_upload_id bigint not null: Number of the reject.
    received_at timestamp with time zone not null: When the upload was received.
    batch_id bigint not null default txid_current(): The transaction that kept it (txid_current()).
    source text not null default 'health'::text: What kind of item, by the route it came by, whose rules a replay goes by: health, health_batch, device_info, event.
    device_sn text: Serial the item named. NULL: it named none that can be read.
    reason text not null: Kind of refusal, a fixed word: no_serial, bad_time, future, too_old, out_of_range, not_an_object, bad_value, refused_by_database.
    detail text not null: What exactly was wrong, for a person.
    body text not null: The item exactly as it was sent.
    inherited jsonb: What the objects around the item said for it: deviceSn, customerId, orgId, userId. NULL: nothing.
    constraint rejected_upload_pkey PRIMARY KEY (rejected_upload_id)
    constraint rejected_upload_source_check CHECK ((source = ANY (ARRAY['health'::text, 'health_batch'::text, 'device_info'::text, 'event'::text])))
    CREATE INDEX rejected_upload_device_sn_idx ON public.rejected_upload USING btree (device_sn, received_at)
    CREATE INDEX rejected_upload_received_at_idx ON public.rejected_upload USING btree (received_at)
table rollup: One row per rollup: what it is made of, and how far it is materialised.
    name text not null: Name of the view in schema public.
    position smallint not null: Order of refresh: a rollup comes after its source.
    source text not null: What it is made of: health_data or another rollup.
    width interval not null: Width of a bucket, in the local time of time_zone.
    time_zone text not null: Zone in which the buckets are cut (IANA name). Fixed when the rollup was made.
    definition text not null: The SELECT of sql/rollups it was made from, without comments, the zone filled in.
    kept_by text not null: timescaledb: a continuous aggregate. vitals: a table, a view, and refresh_rollups().
    watermark timestamp with time zone not null default '-infinity'::timestamp with time zone: Buckets before it are materialised, later ones computed when read. TimescaleDB keeps its own: then -infinity.
    marked_below timestamp with time zone: Rows before it are marked in vitals.rollup_dirty by whoever reacts to them; raised, and committed, before the watermark follows. NULL: not the rollup over health_data.
    live_from timestamp with time zone not null default '-infinity'::timestamp with time zone: What vitals.<name>_live_from() says: a bound at or below the watermark that the planner can read.
    live_from_next timestamp with time zone not null default '-infinity'::timestamp with time zone: What it will say next: the watermark at live_from_next_at.
    live_from_next_at timestamp with time zone not null default now(): Since when; it is published when no reader's snapshot can be older.
    refreshed_at timestamp with time zone: Start of the last refresh that came to its end. NULL: none did.
    constraint rollup_kept_by_check CHECK ((kept_by = ANY (ARRAY['timescaledb'::text, 'vitals'::text])))
    constraint rollup_live_from_check CHECK (((live_from <= live_from_next) AND (live_from_next <= watermark)))
    constraint rollup_marked_below_check CHECK ((watermark <= marked_below))
    constraint rollup_pkey PRIMARY KEY (name)
    constraint rollup_position_key UNIQUE ("position")
table rollup_chunk: The chunks each rollup was made of. Where one was dropped, the rollup is all that is left and is not touched again.
    rollup text not null: The rollup.
    chunk text not null: Chunk of its source, schema and name.
    span tstzrange not null: Time of the chunk; once it is gone, only what had been materialised by then.
    gone boolean not null default false: The chunk was dropped.
    constraint rollup_chunk_pkey PRIMARY KEY (rollup, chunk)
    constraint rollup_chunk_rollup_fkey FOREIGN KEY (rollup) REFERENCES rollup(name) ON DELETE CASCADE
table rollup_dirty: What changed behind the watermark: quarter hours to compute again, at most one UTC day a row.
    device_sn text not null: Serial number of the device.
    from_bucket timestamp with time zone not null: First quarter hour.
    to_bucket timestamp with time zone not null: End of the last one, exclusive.
    constraint rollup_dirty_range_check CHECK ((from_bucket < to_bucket))
    CREATE INDEX rollup_dirty_from_bucket_idx ON vitals.rollup_dirty USING btree (from_bucket)
function advance_rollups()
function bucket_end(interval,text,timestamp with time zone)
function bucket_start(interval,text,timestamp with time zone)
function check_rollup_zone(text)
function comment_rollups()
function create_rollup(text,smallint,text,interval,text,interval,text)
function drop_rollups()
function edition()
function empty_rollups_on_truncate()
function finish_batches(uuid,bigint[],text[],timestamp with time zone,timestamp with time zone,boolean)
function gone_from_source(rollup,timestamp with time zone,timestamp with time zone)
function health_by_day(text,text,date,date)
function is_at_work(bigint)
function lock_rollups()
function mark_range(timestamp with time zone,timestamp with time zone)
function mark_rollups(bigint[],timestamp with time zone,timestamp with time zone)
function mark_rollups_on_delete()
function mark_rollups_on_update()
function outbox_add()
function raise_mark()
function recompute_rollup(rollup,timestamp with time zone,timestamp with time zone,text[],timestamp with time zone[],timestamp with time zone[])
procedure refresh_continuous(timestamp with time zone,timestamp with time zone)
function refresh_dirty_day(timestamp with time zone)
procedure refresh_materialised(timestamp with time zone,timestamp with time zone)
procedure refresh_rollups(timestamp with time zone,timestamp with time zone)
procedure refresh_rollups_job(integer,jsonb)
function refresh_windows(rollup,tstzrange,boolean)
function refreshable(rollup,timestamp with time zone,timestamp with time zone)
function rollup_source_table(rollup)
function rollup_watermark(rollup)
function schedule_rollups()
