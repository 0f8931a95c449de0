-- Removes erased rows from the rollups, on both editions and at once: buckets that can be computed again are, from the remaining rows;
-- the others are deleted.

-- The table a rollup is materialised in. Each step of a refresh asks, so TimescaleDB's slow view is read only where it must be.
create or replace function vitals.rollup_table(rollup_name text) returns text
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    if exists (select from vitals.rollup where name = rollup_name and kept_by = 'vitals') then
        return format('vitals.%I', rollup_name || '_materialised');
    end if;
    return (select format('%I.%I', schema_name, table_name) from vitals.policy_relations() where relation = rollup_name);
end
$$;
comment on function vitals.rollup_table(text) is 'Table a rollup is materialised in.';

-- Waits until no refresh is running, and blocks further ones until commit. It does not wait for a refresh that failed and still holds
-- the lock.
create or replace function vitals.block_rollup_refresh() returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    turn constant bigint := hashtextextended('vitals.rollup', 0);
begin
    if current_setting('transaction_isolation') <> 'read committed' then
        raise exception 'rollups are changed in read committed transactions only' using errcode = 'invalid_transaction_state';
    end if;
    while not pg_try_advisory_xact_lock(turn) loop
        exit when vitals.is_abandoned(turn);
        perform pg_sleep(0.05);
    end loop;
end
$$;
comment on function vitals.block_rollup_refresh() is 'Keeps refreshes of the rollups from running, until commit.';

-- Parameters: devices, and for each the time range in which its raw rows were deleted; a device may be given several times. Returns
-- the number of deleted rollup rows.
-- Locks: vitals.block_rollup_refresh; rows of the rollups; the chunks it reads, against being dropped.
create or replace function vitals.recompute_devices(devices text[], froms timestamptz[], tos timestamptz[]) returns bigint
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    r        vitals.rollup;
    from_ts  timestamptz;
    to_ts    timestamptz;
    again    tstzmultirange;
    touched  record;
    taken    bigint;
    gone     bigint := 0;
begin
    perform vitals.block_rollup_refresh();
    for r in select * from vitals.rollup order by position loop
        from_ts := vitals.bucket_start(r.width, r.time_zone, (select min(f) from unnest(froms) as f));
        to_ts := least(
            vitals.bucket_end(r.width, r.time_zone, (select max(t) from unnest(tos) as t)), vitals.rollup_watermark(r)
        );
        continue when from_ts >= to_ts;
        again := vitals.refreshable(r, from_ts, to_ts);
        -- Each device and span by itself, with its values in the statement: so that no other chunk is unpacked for it.
        for touched in
            select t.device, span, again @> span as can_be_made
            from (
                select t.device, range_agg(tstzrange(
                    vitals.bucket_start(r.width, r.time_zone, t.lo),
                    vitals.bucket_end(r.width, r.time_zone, t.hi)
                )) * tstzmultirange(tstzrange(from_ts, to_ts)) as spans
                from unnest(devices, froms, tos) as t (device, lo, hi)
                group by t.device
            ) as t,
                lateral (select unnest(t.spans * again) as span union all select unnest(t.spans - again)) as s
            where not isempty(span)
        loop
            if touched.can_be_made then
                perform vitals.recompute_rollup(
                    r, lower(touched.span), upper(touched.span),
                    array[touched.device], array[lower(touched.span)], array[upper(touched.span)]
                );
            else
                execute format(
                    'delete from %s where device_sn = %L and bucket >= %L and bucket < %L',
                    vitals.rollup_table(r.name), touched.device, lower(touched.span), upper(touched.span)
                );
                get diagnostics taken = row_count;
                gone := gone + taken;
            end if;
        end loop;
    end loop;
    return gone;
end
$$;
comment on function vitals.recompute_devices(text[], timestamptz[], timestamptz[]) is
    'Computes the rollups of some devices again from their remaining raw rows; buckets that cannot be computed are deleted.';
