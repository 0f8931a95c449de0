-- Where every record went: received = stored + duplicate + rejected, by transaction; and the rejected ones themselves.

create table vitals.ingest_batch (
    committed_at timestamptz not null default now(),
    batch_id     bigint      not null default txid_current(),
    instance     text        not null,
    shard        smallint    not null,
    received     integer     not null,
    stored       integer     not null,
    duplicate    integer     not null,
    rejected     integer     not null,
    constraint ingest_batch_sum_check check (received = stored + duplicate + rejected)
);
select create_hypertable('vitals.ingest_batch', 'committed_at', chunk_time_interval => interval '7 days');

comment on table vitals.ingest_batch is 'Accounting: one row per transaction of the ingest, written in it. A replay moves records from rejected to stored or duplicate.';
comment on column vitals.ingest_batch.committed_at is 'Start of the transaction that was committed.';
comment on column vitals.ingest_batch.batch_id     is 'The transaction (txid_current()); equals health_data.batch_id of its rows.';
comment on column vitals.ingest_batch.instance     is 'Which instance of the service wrote it.';
comment on column vitals.ingest_batch.shard        is 'Which of its writers. -1: a replay of rejected items (vitals rejected replay).';
comment on column vitals.ingest_batch.received     is 'Records the batch was made of. 0 for a replay: its records were received, and counted, when they were rejected.';
comment on column vitals.ingest_batch.stored       is 'Records that became a new row of health_data.';
comment on column vitals.ingest_batch.duplicate    is 'Records whose (device_sn, ts) was there already, in the table or earlier in the batch.';
comment on column vitals.ingest_batch.rejected     is 'Records that are in rejected_upload instead. Negative for a replay: as many left rejected_upload.';

create table rejected_upload (
    rejected_upload_id bigint generated always as identity,
    received_at        timestamptz not null,
    batch_id           bigint      not null default txid_current(),
    source             text        not null default 'health',
    device_sn          text collate "C",
    reason             text        not null,
    detail             text        not null,
    body               text        not null,
    inherited          jsonb,
    constraint rejected_upload_pkey primary key (rejected_upload_id),
    constraint rejected_upload_source_check check (source in ('health', 'health_batch', 'device_info', 'event'))
);
create index rejected_upload_received_at_idx on rejected_upload (received_at);
create index rejected_upload_device_sn_idx on rejected_upload (device_sn, received_at);

comment on table rejected_upload is 'Items that could not be stored, with the reason and their original text.';
comment on column rejected_upload.rejected_upload_id is 'Number of the reject.';
comment on column rejected_upload.received_at        is 'When the upload was received.';
comment on column rejected_upload.batch_id           is 'The transaction that kept it (txid_current()).';
comment on column rejected_upload.source             is 'What kind of item, by the route it came by, whose rules a replay goes by: health, health_batch, device_info, event.';
comment on column rejected_upload.device_sn          is 'Serial the item named. NULL: it named none that can be read.';
comment on column rejected_upload.reason             is 'Kind of refusal, a fixed word: no_serial, bad_time, future, too_old, out_of_range, not_an_object, bad_value, refused_by_database.';
comment on column rejected_upload.detail             is 'What exactly was wrong, for a person.';
comment on column rejected_upload.body               is 'The item exactly as it was sent.';
comment on column rejected_upload.inherited          is 'What the objects around the item said for it: deviceSn, customerId, orgId, userId. NULL: nothing.';
