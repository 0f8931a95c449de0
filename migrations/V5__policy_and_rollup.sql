-- How long things live and how often they are refreshed (policy), and what the rollups know about themselves.
-- The rollups are not made here but by sql/functions/rollup_create.sql, from sql/rollups: they need the time zone and
-- look different in each edition of TimescaleDB.
-- Locks: none that matter on a new database.

create table public.policy (
    relation      text     not null,
    keep_for      interval,
    refresh_every interval,
    refresh_lag   interval,
    constraint policy_pkey primary key (relation),
    constraint policy_keep_for_check check (keep_for > interval '0'),
    constraint policy_refresh_every_check check (refresh_every > interval '0'),
    constraint policy_refresh_lag_check check (refresh_lag >= interval '0')
);

comment on table public.policy is 'One row per relation a DBA has a say in.';
comment on column public.policy.relation      is 'health_data or a rollup.';
comment on column public.policy.keep_for      is 'Age at which rows may be dropped; uploads older than health_data''s are rejected, and no refresh reaches behind it. NULL: kept for ever.';
comment on column public.policy.refresh_every is 'How often the rollup is brought up to date. NULL: not a rollup.';
comment on column public.policy.refresh_lag   is 'How far behind now materialisation stays; what is younger is computed when read. NULL: not a rollup.';

insert into public.policy (relation, keep_for, refresh_every, refresh_lag) values
    ('health_data',    interval '3 years', null, null),
    ('health_15m',     null, interval '20 seconds', interval '30 minutes'),
    ('health_hourly',  null, interval '20 seconds', interval '30 minutes'),
    ('health_daily',   null, interval '20 seconds', interval '30 minutes'),
    ('health_weekly',  null, interval '20 seconds', interval '30 minutes'),
    ('health_monthly', null, interval '20 seconds', interval '30 minutes');

create table vitals.rollup (
    name              text        not null,
    position          smallint    not null,
    source            text        not null,
    width             interval    not null,
    time_zone         text        not null,
    definition        text        not null,
    kept_by           text        not null,
    watermark         timestamptz not null default '-infinity',
    marked_below      timestamptz,
    live_from         timestamptz not null default '-infinity',
    live_from_next    timestamptz not null default '-infinity',
    live_from_next_at timestamptz not null default now(),
    refreshed_at      timestamptz,
    constraint rollup_pkey primary key (name),
    constraint rollup_position_key unique (position),
    constraint rollup_kept_by_check check (kept_by in ('timescaledb', 'vitals')),
    constraint rollup_marked_below_check check (watermark <= marked_below),
    constraint rollup_live_from_check check (live_from <= live_from_next and live_from_next <= watermark)
) with (
    -- Every query of a rollup reads its row, and every refresh writes it: room on the page keeps the versions there.
    fillfactor = 25
);

comment on table vitals.rollup is 'One row per rollup: what it is made of, and how far it is materialised.';
comment on column vitals.rollup.name              is 'Name of the view in schema public.';
comment on column vitals.rollup.position          is 'Order of refresh: a rollup comes after its source.';
comment on column vitals.rollup.source            is 'What it is made of: health_data or another rollup.';
comment on column vitals.rollup.width             is 'Width of a bucket, in the local time of time_zone.';
comment on column vitals.rollup.time_zone         is 'Zone in which the buckets are cut (IANA name). Fixed when the rollup was made.';
comment on column vitals.rollup.definition        is 'The SELECT of sql/rollups it was made from, without comments, the zone filled in.';
comment on column vitals.rollup.kept_by           is 'timescaledb: a continuous aggregate. vitals: a table, a view, and refresh_rollups().';
comment on column vitals.rollup.watermark         is 'Buckets before it are materialised, later ones computed when read. TimescaleDB keeps its own: then -infinity.';
comment on column vitals.rollup.marked_below      is 'Rows before it are marked in vitals.rollup_dirty by whoever reacts to them; raised, and committed, before the watermark follows. NULL: not the rollup over health_data.';
comment on column vitals.rollup.live_from         is 'What vitals.<name>_live_from() says: a bound at or below the watermark that the planner can read.';
comment on column vitals.rollup.live_from_next    is 'What it will say next: the watermark at live_from_next_at.';
comment on column vitals.rollup.live_from_next_at is 'Since when; it is published when no reader''s snapshot can be older.';
comment on column vitals.rollup.refreshed_at      is 'Start of the last refresh that came to its end. NULL: none did.';

-- Appended to by the relay and by changes of a DBA, emptied by the refresh. Without a unique key on purpose: a mark for
-- what a running refresh is just taking away must neither wait for it nor be swallowed.
create table vitals.rollup_dirty (
    device_sn   text collate "C" not null,
    from_bucket timestamptz      not null,
    to_bucket   timestamptz      not null,
    constraint rollup_dirty_range_check check (from_bucket < to_bucket)
);
create index rollup_dirty_from_bucket_idx on vitals.rollup_dirty (from_bucket);

comment on table vitals.rollup_dirty is 'What changed behind the watermark: quarter hours to compute again, at most one UTC day a row.';
comment on column vitals.rollup_dirty.device_sn   is 'Serial number of the device.';
comment on column vitals.rollup_dirty.from_bucket is 'First quarter hour.';
comment on column vitals.rollup_dirty.to_bucket   is 'End of the last one, exclusive.';

-- A chunk is known by its name, which is never given twice: a name that is gone means that rows are gone, even when a
-- late row made a new chunk in its place.
create table vitals.rollup_chunk (
    rollup text      not null,
    chunk  text      not null,
    span   tstzrange not null,
    gone   boolean   not null default false,
    constraint rollup_chunk_pkey primary key (rollup, chunk),
    constraint rollup_chunk_rollup_fkey foreign key (rollup) references vitals.rollup (name) on delete cascade
);
create index rollup_chunk_span_idx on vitals.rollup_chunk using gist (span);

comment on table vitals.rollup_chunk is 'The chunks each rollup was made of. Where one was dropped, the rollup is all that is left and is not touched again.';
comment on column vitals.rollup_chunk.rollup is 'The rollup.';
comment on column vitals.rollup_chunk.chunk  is 'Chunk of its source, schema and name.';
comment on column vitals.rollup_chunk.span   is 'Time of the chunk; once it is gone, only what had been materialised by then.';
comment on column vitals.rollup_chunk.gone   is 'The chunk was dropped.';
