-- Who says that something changed behind the watermark, and of which device. TimescaleDB's own log of changes (Community) holds
-- times alone, for which it would compute all devices again.
-- Locks: none but new rows of vitals.rollup_dirty, which nobody waits for.
--
-- Why nothing falls between: a batch B commits; later the relay (R), having seen B's outbox row, reads marked_below and
-- marks the rows before it. A refresh raises marked_below to M and commits; later it takes a snapshot, materialises what
-- it sees up to M, and moves the watermark there. If R saw M, it marked B's rows before M, and a refresh computes those
-- buckets again. If R did not see M, then B, which R saw, was complete before M was committed, hence before the snapshot
-- of the refresh was taken, which therefore saw B's rows. It holds for any isolation level of R, and without any lock.
-- Changes by hand (update, delete) are marked in their own transaction, before it commits; that order is the other way
-- round, so those mark whatever the time of the row.

-- Parameters: the batches, and the oldest and newest event time among them; both null: not known, all of the time before
-- the watermark is searched. Must be called after the batches were read in the same transaction (it is by whoever deletes
-- their outbox rows).
create or replace function vitals.mark_rollups(batch_ids bigint[], first_ts timestamptz, last_ts timestamptz) returns void
language plpgsql
set search_path = pg_catalog, public, pg_temp
as $$
declare
    below timestamptz;
begin
    select max(marked_below) into below from vitals.rollup;
    -- Live data ends here: nothing of it is materialised.
    if below is null or below = '-infinity' or first_ts >= below then
        return;
    end if;
    -- Planned for these values, so that only the chunks of this time are opened.
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
    'Marks what finished batches changed behind the watermark of the rollups.';

-- Statement triggers with transition tables, on update and delete only: on insert they would force COPY to go row by row.
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
comment on function vitals.mark_rollups_on_delete() is 'Statement trigger: marks what a delete by hand took away.';

-- Row by row where TimescaleDB may keep the table in its columnstore (Community), for which it has no transition tables of a
-- delete. A device's day is marked once, as long as its rows come together.
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
comment on function vitals.mark_rollups_on_update() is 'Statement trigger: marks what an update by hand changed, before and after it.';

-- An emptied table is a wish to begin anew, not retention: the rollups are emptied with it, and the memory of its chunks.
-- Locks: the materialised rollups whole, as truncate does.
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
comment on function vitals.empty_rollups_on_truncate() is 'Statement trigger: an emptied health_data empties its rollups.';
