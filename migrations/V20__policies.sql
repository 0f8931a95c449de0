-- What a DBA has a say in, whole: every relation that grows has its row of policy, hypertables may be compressed, and what
-- was done is told. What is refused, and what a change causes, is sql/functions/policy_*.sql.
-- Locks: policy, alert, notification and health_document against writers, for the moment of each statement.

alter table policy
    add column compress_after interval,
    add constraint policy_compress_after_check check (compress_after > interval '0');

comment on table policy is 'One row per relation a DBA has a say in; a change takes effect by itself, what would lose data is refused.';
comment on column policy.relation       is 'health_data, a rollup, or another table that grows; one that is not in schema public with its schema.';
comment on column policy.keep_for       is 'Age at which rows may be dropped; uploads older than health_data''s are rejected, and no refresh reaches behind it. Of alert and notification, that of what is over. NULL: kept for ever.';
comment on column policy.compress_after is 'Age at which chunks go to the columnstore, which only the Community edition has. NULL: never.';

insert into policy (relation, keep_for) values
    ('device_info',         interval '1 year'),
    ('device_event',        interval '3 years'),
    ('sleep_segment',       interval '3 years'),
    ('exercise_day',        interval '3 years'),
    ('workout',             interval '3 years'),
    ('health_document',     interval '3 years'),
    ('alert',               interval '3 years'),
    ('notification',        interval '90 days'),
    ('rejected_upload',     interval '90 days'),
    ('vitals.ingest_batch', interval '90 days'),
    ('vitals.alert_change', interval '7 days')
on conflict do nothing;

-- What retention looks for; each holds only what is over, or nothing else would find it by time.
create index alert_resolved_at_idx on alert (resolved_at) where status = 'resolved';
create index notification_ended_idx on notification (created_at) where status <> 'pending';
create index health_document_old_idx on health_document (ts);

create table vitals.policy_run (
    relation          text        not null,
    applied_at        timestamptz not null,
    chunks_dropped    bigint      not null default 0,
    rows_deleted      bigint      not null default 0,
    chunks_compressed bigint      not null default 0,
    held              text,
    constraint policy_run_pkey primary key (relation)
);

comment on table vitals.policy_run is 'What the last apply_policies() did, by relation.';
comment on column vitals.policy_run.relation          is 'As in policy.';
comment on column vitals.policy_run.applied_at        is 'When it was at the relation.';
comment on column vitals.policy_run.chunks_dropped    is 'Chunks it dropped.';
comment on column vitals.policy_run.rows_deleted      is 'Rows it deleted from a plain table.';
comment on column vitals.policy_run.chunks_compressed is 'Chunks it moved to the columnstore.';
comment on column vitals.policy_run.held              is 'Why something that is old enough is still there. NULL: nothing is.';

-- Bodies are in sql/functions/policy_refusal.sql.
create function vitals.policy_check() returns trigger
language plpgsql
set search_path = pg_catalog, public, pg_temp
as $$
begin
    return null;
end
$$;
create function vitals.policy_stay() returns trigger
language plpgsql
set search_path = pg_catalog, public, pg_temp
as $$
begin
    return null;
end
$$;

-- At the end of a statement, or of a transaction that says so (`set constraints all deferred`): several rows may have to change
-- together.
create constraint trigger policy_check
    after insert or update or delete on policy
    deferrable initially immediate
    for each row execute function vitals.policy_check();
create trigger policy_stay
    before truncate on policy
    for each statement execute function vitals.policy_stay();

create table erasure (
    erasure_id   bigint generated always as identity,
    kind         text        not null,
    subject      text        not null,
    asked_by     text        not null,
    asked_at     timestamptz not null default now(),
    erased_at    timestamptz,
    forgotten_at timestamptz,
    counts       jsonb       not null default '{}',
    pending      text[] collate "C",
    constraint erasure_pkey primary key (erasure_id),
    constraint erasure_kind_check check (kind in ('device', 'user')),
    constraint erasure_order_check check (asked_at <= erased_at and erased_at <= forgotten_at),
    constraint erasure_pending_check check (forgotten_at is null or pending is null)
);
create unique index erasure_open_key on erasure (kind, subject) where erased_at is null;
create index erasure_subject_idx on erasure (subject);

comment on table erasure is 'Receipts: who had a device or a user erased, and what was taken away. Kept for ever; nothing in it names a person.';
comment on column erasure.erasure_id   is 'Its number.';
comment on column erasure.kind         is 'device or user.';
comment on column erasure.subject      is 'What was asked for, as vitals.erasure_subject() has it: a SHA-256, so that whoever knows the serial or id finds the receipt.';
comment on column erasure.asked_by     is 'Who asked: the name given, else the role.';
comment on column erasure.asked_at     is 'When.';
comment on column erasure.erased_at    is 'When the last row was gone. NULL: it was broken off; the same again goes on.';
comment on column erasure.forgotten_at is 'When Redis was rid of it too. NULL: `vitals erase finish` does it.';
comment on column erasure.counts       is 'Rows taken away, by table.';
comment on column erasure.pending      is 'Serials whose keys are still to go from Redis. NULL: none are.';

create table vitals.backfill (
    backfill_id  bigint generated always as identity,
    file_hash    text        not null,
    file_bytes   bigint      not null,
    offset_bytes bigint      not null default 0,
    lines        bigint      not null default 0,
    stored       bigint      not null default 0,
    duplicate    bigint      not null default 0,
    rejected     bigint      not null default 0,
    started_at   timestamptz not null default now(),
    advanced_at  timestamptz not null default now(),
    ended_at     timestamptz,
    constraint backfill_pkey primary key (backfill_id),
    constraint backfill_file_hash_key unique (file_hash),
    constraint backfill_offset_bytes_check check (offset_bytes between 0 and file_bytes)
);

comment on table vitals.backfill is 'Files of history that were taken in: how far, and what became of their lines. Written with the rows, so that a file goes on where it was.';
comment on column vitals.backfill.backfill_id  is 'Its number.';
comment on column vitals.backfill.file_hash    is 'SHA-256 of the file: another name makes no other file.';
comment on column vitals.backfill.file_bytes   is 'Its size, bytes.';
comment on column vitals.backfill.offset_bytes is 'Everything before this byte is committed.';
comment on column vitals.backfill.lines        is 'Lines before it, the names of columns not counted.';
comment on column vitals.backfill.stored       is 'Records that became new rows.';
comment on column vitals.backfill.duplicate    is 'Records that were there already.';
comment on column vitals.backfill.rejected     is 'Records that are in rejected_upload.';
comment on column vitals.backfill.started_at   is 'When it was begun.';
comment on column vitals.backfill.advanced_at  is 'When it last came further.';
comment on column vitals.backfill.ended_at     is 'When its last line was committed. NULL: it was broken off.';

comment on column vitals.ingest_batch.shard is 'Which of its writers. -1: a replay of rejected items (vitals rejected replay). -2: history (vitals backfill).';
