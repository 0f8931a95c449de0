-- One step of an erasure.

-- Deletes the rows of the subject from a relation, and records how many; returns their number.
-- Parameters: number of the erasure (NULL: only count), the subject, and a step of vitals.erasure_steps().
-- Locks: the rows; for raw rows and rollups also vitals.block_rollup_refresh, until commit.
create or replace function vitals.erase_step(
    id bigint, of_kind text, of_subject text, of_relation text, from_ts timestamptz, to_ts timestamptz
) returns bigint
language plpgsql
set search_path = pg_catalog, public, pg_temp
as $$
declare
    count_only constant boolean := id is null;
    t         record;
    predicate text;
    taken     bigint;
begin
    if of_relation = 'rollups' then
        -- This covers also the buckets whose raw rows were dropped long ago.
        if not count_only then
            select vitals.recompute_devices(array_agg(s.device_sn), array_agg(s.from_ts), array_agg(s.to_ts)) into taken
            from vitals.erasure_spans(of_kind, of_subject) as s having count(*) > 0;
            perform vitals.count_erased(id, of_relation, coalesce(taken, 0));
        end if;
        return coalesce(taken, 0);
    end if;
    select * into t from vitals.policy_relations() as p where p.relation = of_relation;
    if from_ts is not null and of_kind = 'user' then
        return vitals.erase_user_chunk(id, of_subject::bigint, t.relation, t.time_column, from_ts, to_ts);
    end if;
    if from_ts is not null then
        if not count_only and (t.kind = 'rollup' or of_relation = 'health_data') then
            perform vitals.block_rollup_refresh();
        end if;
        predicate := format('x.device_sn = %L and x.%I >= %L and x.%I < %L', of_subject, t.time_column, from_ts, t.time_column, to_ts);
    else
        predicate := vitals.erasure_predicate(of_kind, of_subject, of_relation);
    end if;
    execute format('select count(*) from %I.%I as x where %s', t.schema_name, t.table_name, predicate) into taken;
    if taken > 0 and not count_only then
        execute format('delete from %I.%I as x where %s', t.schema_name, t.table_name, predicate);
        get diagnostics taken = row_count;
        perform vitals.count_erased(id, of_relation, taken);
    end if;
    return taken;
end
$$;
comment on function vitals.erase_step(bigint, text, text, text, timestamptz, timestamptz) is 'Runs one step of an erasure; returns the number of rows.';

-- Erases the rows of a user in one chunk of a hypertable: the rows that name the user, of any device, and the rows without a user
-- from the time when the user wore the device. The rollups are corrected in the same transaction.
create or replace function vitals.erase_user_chunk(
    id bigint, of_user bigint, of_relation text, time_column text, from_ts timestamptz, to_ts timestamptz
) returns bigint
language plpgsql
set search_path = pg_catalog, public, pg_temp
as $$
declare
    count_only constant boolean := id is null;
    part      record;
    predicate text;
    n         bigint;
    taken     bigint := 0;
    devices   text[] := '{}';
    froms     timestamptz[] := '{}';
    tos       timestamptz[] := '{}';
begin
    if of_relation = 'health_data' and not count_only then
        perform vitals.block_rollup_refresh();
    end if;
    for part in execute format(
        'select device_sn, min(%1$I) as lo, max(%1$I) as hi, %2$L as named from public.%3$I '
        'where user_id = $1 and %1$I >= %4$L and %1$I < %5$L group by device_sn '
        'union all '
        'select device_sn, greatest(from_ts, %4$L), least(to_ts, %5$L) - interval ''1 microsecond'', %6$L '
        'from vitals.erasure_spans(''user'', $1::text) where from_ts < %5$L and to_ts > %4$L',
        time_column, 'user_id = ' || of_user, of_relation, from_ts, to_ts, 'user_id is null'
    ) using of_user
    loop
        predicate := format(
            'device_sn = %L and %I >= %L and %I <= %L and %s',
            part.device_sn, time_column, part.lo, time_column, part.hi, part.named
        );
        execute format('select count(*) from public.%I where %s', of_relation, predicate) into n;
        continue when n = 0;
        if not count_only then
            execute format('delete from public.%I where %s', of_relation, predicate);
            get diagnostics n = row_count;
            devices := devices || part.device_sn;
            froms := froms || part.lo;
            tos := tos || (part.hi + interval '1 microsecond');
        end if;
        taken := taken + n;
    end loop;
    if cardinality(devices) > 0 then
        if of_relation = 'health_data' then
            perform vitals.recompute_devices(devices, froms, tos);
        end if;
        perform vitals.count_erased(id, of_relation, taken);
        update erasure set pending = array(select distinct d from unnest(pending || devices) as d) where erasure_id = id;
    end if;
    return taken;
end
$$;
comment on function vitals.erase_user_chunk(bigint, bigint, text, text, timestamptz, timestamptz) is
    'Erases the rows of a user in one chunk.';

-- Adds to the counts of an erasure.
create or replace function vitals.count_erased(id bigint, of_relation text, n bigint) returns void
language sql
set search_path = pg_catalog, public, pg_temp
as $$
    update erasure
    set counts = counts || jsonb_build_object(of_relation, coalesce((counts ->> of_relation)::bigint, 0) + n)
    where erasure_id = id and n > 0
$$;
comment on function vitals.count_erased(bigint, text, bigint) is 'Adds to the counts of an erasure.';
