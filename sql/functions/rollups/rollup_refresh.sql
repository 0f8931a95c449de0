-- The steps of a refresh; public.refresh_rollups() calls them, each in its own transaction. The remaining work is recorded in tables only
-- (marked_below, watermark, rollup_dirty), so an interrupted refresh continues where it stopped, and the steps of several refreshes
-- may alternate. An advisory lock allows one step at a time.
-- After every step all rollups are consistent: readers see the state before it or after it.

-- The lock of a step, held until commit. It must be taken before the snapshot of the step, so read committed is required.
create or replace function vitals.lock_rollups() returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    if current_setting('transaction_isolation') <> 'read committed' then
        raise exception 'rollups can only be refreshed in read committed transactions'
            using errcode = 'invalid_transaction_state';
    end if;
    perform pg_advisory_xact_lock(hashtextextended('vitals.rollup', 0));
end
$$;
comment on function vitals.lock_rollups() is 'Allows one step of a refresh at a time, until commit.';

-- Step 1, committed before step 2 begins: from now on, the relay marks rows before the new bound.
-- Locks: the row of the lowest rollup in vitals.rollup; readers of it do not wait.
create or replace function vitals.raise_mark() returns void
language sql
set search_path = pg_catalog, public, pg_temp
as $$
    update vitals.rollup
    set marked_below = vitals.bucket_start(width, time_zone, now() - p.refresh_lag)
    from policy as p
    where p.relation = name and marked_below < vitals.bucket_start(width, time_zone, now() - p.refresh_lag)
$$;
comment on function vitals.raise_mark() is 'Raises marked_below to now() - refresh_lag.';

-- Step 2 on the Apache edition (Community: vitals.advance_continuous): materialises the buckets between the watermark and marked_below, at
-- most one UTC day, and the buckets of higher rollups that are complete then. Returns whether there is more to do.
-- Locks: vitals.lock_rollups; new rows of the materialised rollups.
create or replace function vitals.advance_rollups() returns boolean
language plpgsql
set search_path = pg_catalog, public, pg_temp
as $$
declare
    r       vitals.rollup;
    reached timestamptz;
    target  timestamptz;
    last    timestamptz;
begin
    perform vitals.lock_rollups();
    select watermark, marked_below into reached, last from vitals.rollup where source = 'health_data';
    if reached >= last then
        return false;
    end if;
    target := least(last, vitals.bucket_end(interval '1 day', 'UTC', reached));
    if target < last then
        -- The watermark is days behind: continue at the next chunk that has rows.
        select coalesce(min(range_start), last) into reached
        from timescaledb_information.chunks
        where hypertable_schema = 'public' and hypertable_name = 'health_data' and range_end > reached;
        target := least(last, greatest(target, vitals.bucket_end(interval '1 day', 'UTC', reached)));
    end if;

    for r in select * from vitals.rollup order by position loop
        -- A rollup over another rollup is materialised up to the watermark of that one, minus its own lag.
        if r.source <> 'health_data' then
            select least(s.watermark, now() - p.refresh_lag) into target
            from vitals.rollup as s, policy as p
            where s.name = r.source and p.relation = r.name;
            target := vitals.bucket_start(r.width, r.time_zone, target);
        end if;
        if target > r.watermark then
            perform vitals.gone_from_source(r, r.watermark, target);
            perform vitals.recompute_rollup(r, r.watermark, target);
            update vitals.rollup set watermark = target where name = r.name;
        end if;
    end loop;
    return (select watermark < marked_below from vitals.rollup where source = 'health_data');
end
$$;
comment on function vitals.advance_rollups() is 'Materialises one step further; true: there is more to do.';

-- Step 3: takes the marks of at most 250 devices, of the newest UTC day with marks and of the six days before it, and computes the
-- marked buckets again in all rollups. Returns false if there was no mark.
-- A step takes a week, because otherwise days, weeks and months would be computed once for each day of the week. It takes no more, so
-- that new marks do not wait long and an interruption loses little work.
-- Parameter: the last mark to consider. All marks of a device and day are taken together, including later ones.
-- Locks: vitals.block_rollup_refresh; the marks; rows of the materialised rollups; the chunks it reads, so that nobody drops them.
create or replace function vitals.refresh_marked(last_mark bigint) returns boolean
language plpgsql
set search_path = pg_catalog, public, pg_temp
as $$
declare
    r         vitals.rollup;
    day       timestamptz;
    first_ts  timestamptz;
    last_ts   timestamptz;
    -- The marks, by device and day.
    marked    text[];
    marked_lo timestamptz[];
    marked_hi timestamptz[];
    -- The part of them that this rollup computes again, in whole buckets.
    allowed   tstzmultirange;
    devices   text[];
    froms     timestamptz[];
    tos       timestamptz[];
begin
    -- This also waits for TimescaleDB's own refresh: it may have read rows from before a mark, so the mark must not be deleted until it ends.
    perform vitals.block_rollup_refresh();
    select time_bucket(interval '1 day', from_bucket) into day
    from vitals.rollup_dirty where mark_id <= last_mark order by from_bucket desc limit 1;
    if not found then
        return false;
    end if;
    with due as (
        select distinct device_sn from vitals.rollup_dirty
        where from_bucket >= day and from_bucket < day + interval '1 day' and mark_id <= last_mark
        order by device_sn limit 250
    ), taken as (
        delete from vitals.rollup_dirty
        where from_bucket >= day - interval '6 days' and from_bucket < day + interval '1 day'
            and device_sn in (select device_sn from due)
        returning device_sn, from_bucket, to_bucket
    ), by_day as (
        select device_sn, min(from_bucket) as lo, max(to_bucket) as hi
        from taken group by device_sn, time_bucket(interval '1 day', from_bucket)
    )
    select array_agg(device_sn), array_agg(lo), array_agg(hi), min(lo), max(hi) - interval '1 microsecond'
    into marked, marked_lo, marked_hi, first_ts, last_ts
    from by_day;

    for r in select * from vitals.rollup order by position loop
        r.watermark := vitals.rollup_watermark(r);
        -- Buckets after the watermark are computed when they are read.
        allowed := vitals.refreshable(
            r,
            vitals.bucket_start(r.width, r.time_zone, first_ts),
            least(vitals.bucket_end(r.width, r.time_zone, last_ts), r.watermark)
        );
        select
            array_agg(device_sn), array_agg(lower(span)), array_agg(upper(span))
        into devices, froms, tos
        from (
            select device_sn, range_agg(tstzrange(
                vitals.bucket_start(r.width, r.time_zone, lo),
                vitals.bucket_end(r.width, r.time_zone, hi - interval '1 microsecond')
            )) as spans
            from unnest(marked, marked_lo, marked_hi) as touched (device_sn, lo, hi)
            group by device_sn
        ) as touched,
            unnest(spans * allowed) as span;
        if devices is not null then
            perform vitals.recompute_rollup(
                r, lower(range_merge(allowed)), upper(range_merge(allowed)), devices, froms, tos
            );
        end if;
    end loop;
    return true;
end
$$;
comment on function vitals.refresh_marked(bigint) is
    'Computes the marked buckets of some devices again; false: there was no mark.';

-- Computes buckets of one rollup again from its source: those of all devices in [from_bucket, to_bucket), or, if devices are given, for
-- each device its own range within these bounds. Buckets without source rows are deleted.
-- Dynamic statements are planned with these values, so they open the chunks of this time only. Rows are inserted in the order of device
-- and time, so that the rows of a device, which are read together, are on few pages. If a part is in the columnstore, the devices are
-- also given as constants: with a join only, TimescaleDB would decompress whole chunks. Nested loops are disabled then, because the
-- planner sees the statistics of a nearly empty table, before the decompression.
create or replace function vitals.recompute_rollup(
    r           vitals.rollup,
    from_bucket timestamptz,
    to_bucket   timestamptz,
    devices     text[] default null,
    froms       timestamptz[] default null,
    tos         timestamptz[] default null
) returns void
language plpgsql
set search_path = pg_catalog, public, pg_temp
as $$
declare
    base         constant boolean := r.source = 'health_data';
    target_table constant text := vitals.rollup_table(r.name);
    source_table constant text := case when base then 'public.health_data' else vitals.rollup_table(r.source) end;
    -- The source with the columns that it shows.
    source_rows  constant text := case
        when not base and r.kept_by = 'vitals' then format('vitals.%I', r.source || '_decoded') else source_table
    end;
    nested_loops constant text := current_setting('enable_nestloop');
    compressed   boolean;
    time_column  constant text := case when base then 'ts' else 'bucket' end;
begin
    if devices is null then
        execute format('delete from %s where bucket >= $1 and bucket < $2', target_table) using from_bucket, to_bucket;
        execute vitals.rollup_insert(r, target_table, format(
            'with %1$I as (select * from %2$s where %3$I >= $1 and %3$I < $2) %4$s order by 1, 2',
            r.source, source_rows, time_column, r.definition
        )) using from_bucket, to_bucket;
    else
        compressed := vitals.has_compressed(target_table, from_bucket, to_bucket);
        perform set_config('timescaledb.max_tuples_decompressed_per_dml_transaction', '0', true);
        perform set_config('enable_nestloop', case when compressed then 'off' else nested_loops end, true);
        execute format(
            'delete from %s as m using unnest($3, $4, $5) as touched (device, lo, hi) '
            'where m.bucket >= $1 and m.bucket < $2 '
                'and m.device_sn = touched.device and m.bucket >= touched.lo and m.bucket < touched.hi %s',
            target_table, case when compressed then 'and m.device_sn = any ($3)' end
        ) using from_bucket, to_bucket, devices, froms, tos;
        compressed := vitals.has_compressed(source_table, from_bucket, to_bucket);
        perform set_config('enable_nestloop', case when compressed then 'off' else nested_loops end, true);
        execute vitals.rollup_insert(r, target_table, format(
            'with %1$I as ('
                'select s.* from unnest($3, $4, $5) as touched (device, lo, hi) '
                'join %2$s as s on s.device_sn = touched.device and s.%3$I >= touched.lo and s.%3$I < touched.hi '
                'where s.%3$I >= $1 and s.%3$I < $2 %5$s'
            ') %4$s order by 1, 2',
            r.source, source_rows, time_column, r.definition, case when compressed then 'and s.device_sn = any ($3)' end
        )) using from_bucket, to_bucket, devices, froms, tos;
        perform set_config('enable_nestloop', nested_loops, true);
    end if;
end
$$;
comment on function vitals.recompute_rollup(vitals.rollup, timestamptz, timestamptz, text[], timestamptz[], timestamptz[]) is
    'Computes buckets of one rollup again from its source.';

-- Whether any chunk of a hypertable in a range of time is in the columnstore. Parameters: its qualified name, and the range. Locks: none.
-- The query filters by name, because TimescaleDB's view is slow over all chunks.
create or replace function vitals.has_compressed(table_name text, from_ts timestamptz, to_ts timestamptz) returns boolean
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    names constant text[] := parse_ident(table_name);
begin
    if vitals.edition() <> 'community' then
        return false;
    end if;
    return exists (
        select from timescaledb_information.chunks as c
        where c.hypertable_schema = names[1] and c.hypertable_name = names[2]
            and c.is_compressed and c.range_end > from_ts and c.range_start < to_ts
    );
end
$$;
comment on function vitals.has_compressed(text, timestamptz, timestamptz) is 'Whether any chunk of a hypertable in a range of time is in the columnstore.';

-- Step 4: raises the bound that the planner reads (vitals.<name>_live_from) towards the watermark. A query planned with the new bound
-- may run in the older snapshot of a repeatable read transaction, whose watermark is older too; it would miss the rows between the two.
-- So a bound is published only after the watermark has been past it for an hour.
-- Runs as the owner, because only the owner may replace the functions, and the caller may be another role (vitals_service).
-- Locks: none that readers wait for.
create or replace function vitals.publish_live_from() returns void
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    r vitals.rollup;
begin
    perform vitals.lock_rollups();
    for r in
        select * from vitals.rollup
        where live_from < watermark
            and (live_from_next_at < now() - interval '1 hour' or live_from_next = '-infinity')
        order by position
    loop
        if r.live_from_next > r.live_from then
            execute format(
                'create or replace function vitals.%I() returns timestamptz language sql immutable parallel safe '
                'as $f$ select timestamptz %L $f$',
                r.name || '_live_from', r.live_from_next
            );
        end if;
        update vitals.rollup
        set live_from = r.live_from_next, live_from_next = watermark, live_from_next_at = now()
        where name = r.name;
    end loop;
end
$$;
comment on function vitals.publish_live_from() is 'Raises the bound that the planner reads towards the watermark.';
revoke execute on function vitals.publish_live_from() from public;

-- Marks the ranges that request_refresh() recorded, so that step 3 computes them again.
-- Locks: the requests; new rows of vitals.rollup_dirty.
create or replace function vitals.mark_requests() returns void
language plpgsql
set search_path = pg_catalog, public, pg_temp
as $$
declare
    requested record;
begin
    for requested in delete from vitals.refresh_request returning from_ts, to_ts loop
        perform vitals.mark_range(requested.from_ts, requested.to_ts);
    end loop;
end
$$;
comment on function vitals.mark_requests() is 'Marks the ranges that request_refresh() recorded.';

-- Marks a whole range, so that step 3 computes it again: the buckets of all raw rows and all existing buckets of the rollup.
-- Locks: new rows of vitals.rollup_dirty.
create or replace function vitals.mark_range(from_ts timestamptz, to_ts timestamptz) returns void
language plpgsql
set search_path = pg_catalog, public, pg_temp
as $$
begin
    execute format(
        'insert into vitals.rollup_dirty (device_sn, from_bucket, to_bucket) '
        'select device_sn, min(bucket), max(bucket) + interval ''15 minutes'' '
        'from ('
            'select device_sn, time_bucket(interval ''15 minutes'', ts) as bucket '
            'from public.health_data where ts >= $1 and ts < $2 '
            'union all '
            'select device_sn, bucket from %s where bucket >= $1 and bucket < $2'
        ') as buckets '
        'group by device_sn, time_bucket(interval ''1 day'', bucket)',
        vitals.rollup_table('health_15m')
    ) using
        vitals.bucket_start(interval '15 minutes', 'UTC', from_ts),
        vitals.bucket_end(interval '15 minutes', 'UTC', to_ts - interval '1 microsecond');
end
$$;
comment on function vitals.mark_range(timestamptz, timestamptz) is 'Marks a whole range of time, to be computed again.';
