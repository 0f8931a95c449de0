-- What is refused again and again is kept once, with how often it came; and rejects have room, not only an age.
-- Locks: rejected_upload and policy whole, for a moment; rejected_upload against writers while its (empty) index is made.

alter table rejected_upload
    add column digest           bytea,
    add column times            bigint not null default 1,
    add column last_received_at timestamptz,
    add constraint rejected_upload_times_check check (times > 0);
create unique index rejected_upload_digest_key on rejected_upload (digest);

comment on column rejected_upload.received_at      is 'When the upload was received, the first time.';
comment on column rejected_upload.batch_id         is 'The transaction that kept it (txid_current()), the last time.';
comment on column rejected_upload.digest           is 'SHA-256 of what tells it from others: source, serial, reason and detail, text, inherited, tenant of the key. NULL: it was kept before there was one.';
comment on column rejected_upload.times            is 'How often it was received. Over all rows the sum is what vitals.ingest_batch counts as rejected.';
comment on column rejected_upload.last_received_at is 'When it was last received. NULL: once only.';

alter table policy
    add column keep_bytes bigint,
    add constraint policy_keep_bytes_check check (keep_bytes > 0 and (keep_bytes is null or relation = 'rejected_upload'));
comment on column policy.keep_bytes is 'Bytes of text that are kept, of rejected_upload alone: the oldest go first. NULL: any number.';

update policy set keep_bytes = 1073741824 where relation = 'rejected_upload';
