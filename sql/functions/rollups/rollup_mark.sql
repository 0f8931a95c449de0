-- Marks the device and time of rows that changed before the watermark. TimescaleDB's own log of changes (Community) contains only times,
-- so a refresh from it would compute all devices again.
-- Locks: new rows of vitals.rollup_dirty, for which nobody waits.
--
-- Why no row is missed: a batch B commits. Later the relay R, which has seen the outbox row of B, reads marked_below and marks the rows
-- of B before it. A refresh raises marked_below to M and commits; later it takes a snapshot, materialises what it sees before M,
-- and moves the watermark to M. If R saw M, it marked the rows of B before M, and a refresh computes their buckets again. If R did not
-- see M, then B, which R saw, had committed before M did, so the snapshot of the refresh contains the rows of B.
-- This holds for every isolation level of R and needs no lock.
-- Changes by hand (update, delete) are marked in their own transaction, before it commits. The order is reversed there, so every
-- changed row is marked, whatever its time.

-- Parameters: the batches, and the oldest and newest event time among them. Both NULL: not known, so all rows before marked_below are
-- searched. The caller must have read the batches in the same transaction; it does, because it deletes their outbox rows.
create or replace function vitals.mark_rollups(batch_ids bigint[], first_ts timestamptz, last_ts timestamptz) returns void
language plpgsql
set search_path = pg_catalog, public, pg_temp
as $$
declare
    below timestamptz;
begin
    select max(marked_below) into below from vitals.rollup;
    -- Live data returns here, because none of it is materialised yet.
    if below is null or below = '-infinity' or first_ts >= below then
        return;
    end if;
    -- A dynamic statement is planned with these values, so only the chunks of this time are opened.
    execute
        'insert into vitals.rollup_dirty (device_sn, from_bucket, to_bucket) '
        'select device_sn, time_bucket(interval ''15 minutes'', min(ts)), '
               'time_bucket(interval ''15 minutes'', max(ts)) + interval ''15 minutes'' '
        'from public.health_data '
        'where batch_id = any($1) and ts >= $2 and ts <= $3 and ts < $4 '
          'and batch_id between (select min(b) from unnest($1) as b) and (select max(b) from unnest($1) as b) '
        'group by device_sn, time_bucket(interval ''1 day'', ts)'
    using batch_ids, coalesce(first_ts, '-infinity'), coalesce(last_ts, 'infinity'), below;
end
$$;
comment on function vitals.mark_rollups(bigint[], timestamptz, timestamptz) is
    'Marks the rows of finished batches that lie before the watermark of the rollups.';

-- Statement triggers with transition tables exist for update and delete only: for insert they would make COPY insert row by row.
create or replace function vitals.mark_rollups_on_delete() returns trigger
language plpgsql
set search_path = pg_catalog, public, pg_temp
as $$
begin
    insert into vitals.rollup_dirty (device_sn, from_bucket, to_bucket)
    select
        device_sn, time_bucket(interval '15 minutes', min(ts)),
        time_bucket(interval '15 minutes', max(ts)) + interval '15 minutes'
    from old_rows
    group by device_sn, time_bucket(interval '1 day', ts);
    return null;
end
$$;
comment on function vitals.mark_rollups_on_delete() is 'Statement trigger: marks the rows that were deleted by hand.';

-- A row trigger on the Community edition, because TimescaleDB has no transition tables for a delete from its columnstore. The day of a device
-- is marked once if its rows are deleted one after another.
create or replace function vitals.mark_rollups_on_deleted_row() returns trigger
language plpgsql
set search_path = pg_catalog, public, pg_temp
as $$
declare
    day  constant timestamptz := time_bucket(interval '1 day', old.ts);
    mark constant text := format('%s %s', extract(epoch from day), old.device_sn);
begin
    if current_setting('vitals.marked', true) is distinct from mark then
        insert into vitals.rollup_dirty (device_sn, from_bucket, to_bucket)
        values (old.device_sn, day, day + interval '1 day');
        perform set_config('vitals.marked', mark, true);
    end if;
    return null;
end
$$;
comment on function vitals.mark_rollups_on_deleted_row() is 'Row trigger: marks the day of a row that was deleted by hand.';

create or replace function vitals.mark_rollups_on_update() returns trigger
language plpgsql
set search_path = pg_catalog, public, pg_temp
as $$
begin
    insert into vitals.rollup_dirty (device_sn, from_bucket, to_bucket)
    select
        device_sn, time_bucket(interval '15 minutes', min(ts)),
        time_bucket(interval '15 minutes', max(ts)) + interval '15 minutes'
    from (select device_sn, ts from old_rows union all select device_sn, ts from new_rows) as changed
    group by device_sn, time_bucket(interval '1 day', ts);
    return null;
end
$$;
comment on function vitals.mark_rollups_on_update() is 'Statement trigger: marks the rows that were updated by hand, by their old and their new time.';

-- A truncate of health_data is a new start, not retention: it also empties the rollups and the record of their chunks.
-- Locks: the tables of the rollups exclusively, as truncate does.
create or replace function vitals.empty_rollups_on_truncate() returns trigger
language plpgsql
set search_path = pg_catalog, public, pg_temp
as $$
declare
    r vitals.rollup;
begin
    delete from vitals.rollup_chunk;
    delete from vitals.rollup_dirty;
    for r in select * from vitals.rollup order by position loop
        execute format(
            'truncate %s',
            case r.kept_by when 'vitals' then vitals.rollup_table(r.name) else format('public.%I', r.name) end
        );
    end loop;
    return null;
end
$$;
comment on function vitals.empty_rollups_on_truncate() is 'Statement trigger: a truncate of health_data empties its rollups.';
