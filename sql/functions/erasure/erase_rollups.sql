-- Removes erased rows from the rollups, on both editions, in the transaction of the erasure. A bucket is computed again from the
-- remaining rows if that is possible, else deleted.

-- The table that holds the materialised buckets of a rollup. Each step of a refresh calls this, so TimescaleDB's slow view is read
-- only on the Community edition.
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
comment on function vitals.rollup_table(text) is 'Table that holds the materialised buckets of a rollup.';

-- Waits until no refresh is running, and blocks refreshes until commit. A failed refresh whose session still holds the lock is ignored.
create or replace function vitals.block_rollup_refresh() returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    lock_key constant bigint := hashtextextended('vitals.rollup', 0);
begin
    if current_setting('transaction_isolation') <> 'read committed' then
        raise exception 'rollups can only be changed in read committed transactions' using errcode = 'invalid_transaction_state';
    end if;
    while not pg_try_advisory_xact_lock(lock_key) loop
        exit when vitals.is_abandoned(lock_key);
        perform pg_sleep(0.05);
    end loop;
end
$$;
comment on function vitals.block_rollup_refresh() is 'Blocks refreshes of the rollups until commit.';

-- Parameters: devices, and for each the time range in which its raw rows were deleted; a device may be given several times. Returns
-- the number of deleted rollup rows.
-- Locks: vitals.block_rollup_refresh; rows of the rollups; the chunks it reads, so that nobody drops them.
create or replace function vitals.recompute_devices(devices text[], froms timestamptz[], tos timestamptz[]) returns bigint
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    r          vitals.rollup;
    from_ts    timestamptz;
    to_ts      timestamptz;
    computable tstzmultirange;
    part       record;
    deleted    bigint;
    total      bigint := 0;
begin
    perform vitals.block_rollup_refresh();
    for r in select * from vitals.rollup order by position loop
        from_ts := vitals.bucket_start(r.width, r.time_zone, (select min(f) from unnest(froms) as f));
        to_ts := least(
            vitals.bucket_end(r.width, r.time_zone, (select max(t) from unnest(tos) as t)), vitals.rollup_watermark(r)
        );
        continue when from_ts >= to_ts;
        computable := vitals.refreshable(r, from_ts, to_ts);
        -- One statement per device and span, with the values as constants, so that no other chunk is decompressed.
        for part in
            select t.device, span, computable @> span as can_be_computed
            from (
                select t.device, range_agg(tstzrange(
                    vitals.bucket_start(r.width, r.time_zone, t.lo),
                    vitals.bucket_end(r.width, r.time_zone, t.hi)
                )) * tstzmultirange(tstzrange(from_ts, to_ts)) as spans
                from unnest(devices, froms, tos) as t (device, lo, hi)
                group by t.device
            ) as t,
                lateral (select unnest(t.spans * computable) as span union all select unnest(t.spans - computable)) as s
            where not isempty(span)
        loop
            if part.can_be_computed then
                perform vitals.recompute_rollup(
                    r, lower(part.span), upper(part.span),
                    array[part.device], array[lower(part.span)], array[upper(part.span)]
                );
            else
                execute format(
                    'delete from %s where device_sn = %L and bucket >= %L and bucket < %L',
                    vitals.rollup_table(r.name), part.device, lower(part.span), upper(part.span)
                );
                get diagnostics deleted = row_count;
                total := total + deleted;
            end if;
        end loop;
    end loop;
    return total;
end
$$;
comment on function vitals.recompute_devices(text[], timestamptz[], timestamptz[]) is
    'Computes the rollups of some devices again from the remaining raw rows; buckets that cannot be computed are deleted.';
