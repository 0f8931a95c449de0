-- Events: what a device noticed and told at once, and how grave each type is.
-- Locks: outbox and vitals.ingest_batch, for the moment of each statement.

create table event_type (
    event_type text collate "C" not null,
    severity   text collate "C" not null,
    value      text not null,
    constraint event_type_pkey primary key (event_type),
    constraint event_type_name_check check (event_type = upper(event_type) and event_type <> ''),
    constraint event_type_severity_check check (severity in ('critical', 'major', 'minor', 'info'))
);

comment on table event_type is 'How grave an event is, by type. A change counts for events from then on; a type that is not here is info.';
comment on column event_type.event_type is 'Short type, upper case, as in device_event.';
comment on column event_type.severity   is 'critical, major, minor or info.';
comment on column event_type.value      is 'What device_event.value holds, for a person.';

insert into event_type (event_type, severity, value) values
    ('SOS_EVENT',              'critical', 'often the serial'),
    ('ONE_KEY_ALARM',          'critical', 'often the serial'),
    ('FALLDOWN_EVENT',         'critical', 'often the serial'),
    ('WEAR_STATUS_CHANGED',    'major',    '0 taken off, 1 put on'),
    ('HEARTRATE_HIGH_ALERT',   'major',    'heart rate, beats per minute'),
    ('HEARTRATE_LOW_ALERT',    'major',    'heart rate, beats per minute'),
    ('SPO2_LOW_ALERT',         'major',    'oxygen saturation, percent'),
    ('STRESS_HIGH_ALERT',      'major',    'stress score'),
    ('TEMPERATURE_HIGH_ALERT', 'major',    'body temperature, degrees Celsius'),
    ('TEMPERATURE_LOW_ALERT',  'major',    'body temperature, degrees Celsius'),
    ('PRESSURE_HIGH_ALERT',    'major',    'blood pressure, mmHg'),
    ('PRESSURE_LOW_ALERT',     'major',    'blood pressure, mmHg'),
    ('CALL_STATE',             'minor',    'the serial'),
    ('BOOT_COMPLETED',         'minor',    'the serial'),
    ('UI_SETTINGS_CHANGED',    'info',     'text'),
    ('FUN_DOUBLE_CLICK',       'info',     'text');

create table device_event (
    device_sn   text collate "C" not null,
    event_type  text collate "C" not null,
    ts          timestamptz not null,
    received_at timestamptz not null default now(),
    batch_id    bigint      not null default txid_current(),
    severity    text collate "C" not null default 'info',
    value       text,
    customer_id bigint,
    org_id      bigint,
    user_id     bigint,
    latitude    double precision,
    longitude   double precision,
    altitude    double precision,
    action      text,
    sent_ts     text,
    constraint device_event_pkey primary key (device_sn, event_type, ts),
    constraint device_event_severity_check check (severity in ('critical', 'major', 'minor', 'info'))
);
select create_hypertable('device_event', 'ts', chunk_time_interval => interval '7 days', create_default_indexes => false);
create index device_event_batch_id_idx on device_event (batch_id);

comment on table device_event is 'One row per event of a device. An event sent again is the same row; what the first left open the second fills. Hypertable, one chunk a week.';
comment on column device_event.device_sn   is 'Serial number of the device, as it sends it.';
comment on column device_event.event_type  is 'Short type, upper case: what follows the last dot of the action.';
comment on column device_event.ts          is 'When it happened (event time); the time of receipt where the event names none that can be.';
comment on column device_event.received_at is 'When the service took the upload in which the event first came.';
comment on column device_event.batch_id    is 'Transaction that first wrote the row (txid_current()); joins outbox and vitals.ingest_batch.';
comment on column device_event.severity    is 'How grave events of the type were when it came: critical, major, minor or info (see event_type).';
comment on column device_event.value       is 'What the device says with it, as sent; event_type tells the meaning. NULL: nothing.';
comment on column device_event.customer_id is 'Tenant, 64 bit. NULL: not known.';
comment on column device_event.org_id      is 'Organisation unit, 64 bit. NULL: not known.';
comment on column device_event.user_id     is 'Wearer, 64 bit. NULL: not known.';
comment on column device_event.latitude    is 'Latitude, degrees north, WGS 84. NULL: no position (devices send 0/0), or none on Earth.';
comment on column device_event.longitude   is 'Longitude, degrees east, WGS 84. NULL: no position.';
comment on column device_event.altitude    is 'Altitude, metres. NULL: none.';
comment on column device_event.action      is 'The name as it was sent. NULL: it was the short type.';
comment on column device_event.sent_ts     is 'The time as it was sent, where it could not be read or not be true, and ts is the time of receipt. NULL: ts is as sent, or none was sent.';

alter table outbox add column events integer;
comment on column outbox.events is 'Rows the batch offered to device_event. NULL: not known.';

create trigger device_event_outbox
    after insert on device_event
    for each statement execute function vitals.outbox_add();

-- One transaction may hold readings, events and device information: a row of accounting for each.
alter table vitals.ingest_batch add column kind text not null default 'reading';
alter table vitals.ingest_batch add constraint ingest_batch_kind_check check (kind in ('reading', 'event', 'device_info'));
comment on column vitals.ingest_batch.kind is 'What the account is of: reading (rows of health_data), event (device_event; also the sample of an event, where it was rejected), device_info.';
comment on column vitals.ingest_batch.stored is 'Records that became a new row of the table of their kind.';
comment on column vitals.ingest_batch.duplicate is 'Records whose key was there already, in the table or earlier in the batch.';
