-- The hypertable every sample lands in, and the documents of samples that no table has columns for.
-- Locks: none that matter on a new database.

create extension if not exists timescaledb;

create schema vitals;
comment on schema vitals is 'Private book-keeping of the vitals service. Dashboards and other users read the tables and views of schema public.';

create table health_data (
    -- Collation "C": serials are compared as bytes, which is the order the service sorts batches in before COPY.
    device_sn     text collate "C" not null,
    ts            timestamptz not null,
    received_at   timestamptz not null default now(),
    batch_id      bigint      not null default txid_current(),
    customer_id   bigint,
    org_id        bigint,
    user_id       bigint,
    heart_rate    smallint,
    blood_oxygen  smallint,
    temperature   numeric,
    pressure_high smallint,
    pressure_low  smallint,
    stress        smallint,
    step          integer,
    distance      numeric,
    calorie       numeric,
    latitude      double precision,
    longitude     double precision,
    altitude      double precision,
    upload_method text collate "C",
    constraint health_data_pkey primary key (device_sn, ts)
);

select create_hypertable('health_data', 'ts', chunk_time_interval => interval '1 day', create_default_indexes => false);

-- The only other index: the relay reads a committed batch back by it. Every further B-tree costs COPY a fifth.
create index health_data_batch_id_idx on health_data (batch_id);

comment on table health_data is 'One row per device and instant: what a wearable measured. Hypertable, one chunk a day. Dashboards read the rollups instead.';
comment on column health_data.device_sn     is 'Serial number of the device, as it sends it.';
comment on column health_data.ts            is 'When the sample was taken (event time). A naive device time is read in the configured device zone.';
comment on column health_data.received_at   is 'When the service took the upload in which the row first came.';
comment on column health_data.batch_id      is 'Transaction that last wrote the row (txid_current()); joins outbox and vitals.ingest_batch.';
comment on column health_data.customer_id   is 'Tenant, 64 bit. NULL: not known.';
comment on column health_data.org_id        is 'Organisation unit, 64 bit. NULL: not known.';
comment on column health_data.user_id       is 'Wearer, 64 bit. NULL: not known.';
comment on column health_data.heart_rate    is 'Heart rate, beats per minute. NULL: not measured (devices send 0).';
comment on column health_data.blood_oxygen  is 'Peripheral oxygen saturation (SpO2), percent. NULL: not measured.';
comment on column health_data.temperature   is 'Body temperature, degrees Celsius, as many decimals as sent. NULL: not measured.';
comment on column health_data.pressure_high is 'Systolic blood pressure, mmHg; derived by the watch, not measured. NULL: none.';
comment on column health_data.pressure_low  is 'Diastolic blood pressure, mmHg; derived by the watch, not measured. NULL: none.';
comment on column health_data.stress        is 'Stress score, 1 to 100. NULL: not measured.';
comment on column health_data.step          is 'Steps of the local day so far; a running total that restarts at local midnight. 0 is real. NULL: not sent.';
comment on column health_data.distance      is 'Distance of the local day so far, metres; a running total. 0 is real. NULL: not sent.';
comment on column health_data.calorie       is 'Energy of the local day so far, small calories; a running total. 0 is real. NULL: not sent.';
comment on column health_data.latitude      is 'Latitude, degrees north, WGS 84. NULL: no position (devices send 0/0).';
comment on column health_data.longitude     is 'Longitude, degrees east, WGS 84. NULL: no position.';
comment on column health_data.altitude      is 'Altitude, metres. NULL: none.';
comment on column health_data.upload_method is 'Channel the sample came by: wifi, bluetooth, common_event, esim, or what the device said. NULL: not said.';

create table health_document (
    device_sn   text collate "C" not null,
    ts          timestamptz not null,
    kind        text collate "C" not null,
    reason      text collate "C" not null,
    detail      text,
    body        text        not null,
    customer_id bigint,
    org_id      bigint,
    user_id     bigint,
    received_at timestamptz not null,
    batch_id    bigint      not null default txid_current(),
    constraint health_document_kind_check check (kind in ('sleep', 'exercise_daily', 'exercise_week', 'scientific_sleep', 'workout')),
    constraint health_document_reason_check check (reason in ('shape_unknown', 'unreadable', 'bad_element', 'too_many_elements'))
);
-- One text is kept once, however often a watch repeats it through the day.
create unique index health_document_content_key on health_document (device_sn, kind, md5(body));
create index health_document_ts_idx on health_document (device_sn, ts);

comment on table health_document is 'What of the nested documents of samples did not become rows of sleep_segment, exercise_day or workout: the text exactly as sent, each content once per device and kind.';
comment on column health_document.device_sn   is 'Serial number of the device.';
comment on column health_document.ts          is 'Event time of the first sample that carried it.';
comment on column health_document.kind        is 'Which document: sleep, exercise_daily, exercise_week, scientific_sleep, workout.';
comment on column health_document.reason      is 'Why it is here: shape_unknown (scientific sleep, always), unreadable (the document), bad_element (one element of it), too_many_elements.';
comment on column health_document.detail      is 'What exactly was wrong, for a person. NULL: nothing was (shape_unknown).';
comment on column health_document.body        is 'The document, or for bad_element the element, as sent.';
comment on column health_document.customer_id is 'Tenant, 64 bit. NULL: not known.';
comment on column health_document.org_id      is 'Organisation unit, 64 bit. NULL: not known.';
comment on column health_document.user_id     is 'Wearer, 64 bit. NULL: not known.';
comment on column health_document.received_at is 'When the service took the upload.';
comment on column health_document.batch_id    is 'Transaction that wrote the row (txid_current()).';
