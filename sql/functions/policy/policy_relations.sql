-- The relations of policy: where their rows are, and which rows are old.
-- Parameters: none. Locks: none.

-- kind: hypertables and rollups are dropped by chunk; of a table, rows are deleted. older: the predicate of rows older than $1.
create or replace function vitals.policy_relations()
returns table (relation text, place integer, kind text, schema_name name, table_name name, time_column text, older text)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return query
    select t.relation, t.place, t.kind, t.schema_name::name, t.table_name::name, t.time_column, t.older
    from (values
        ('health_data', 1, 'hypertable', 'public', 'health_data', 'ts', null),
        ('device_info', 11, 'hypertable', 'public', 'device_info', 'ts', null),
        ('device_event', 12, 'hypertable', 'public', 'device_event', 'ts', null),
        ('vitals.ingest_batch', 21, 'hypertable', 'vitals', 'ingest_batch', 'committed_at', null),
        -- The second condition follows from the first; the index needs it.
        ('sleep_segment', 13, 'table', 'public', 'sleep_segment', 'end_ts',
            'end_ts < $1 and end_day <= ($1 at time zone ''UTC'')::date + 1'),
        ('exercise_day', 14, 'table', 'public', 'exercise_day', null, 'day < ($1 at time zone ''UTC'')::date'),
        ('workout', 15, 'table', 'public', 'workout', 'start_ts', 'start_ts < $1'),
        ('health_document', 16, 'table', 'public', 'health_document', 'ts', 'ts < $1'),
        ('alert', 17, 'table', 'public', 'alert', 'resolved_at', 'status = ''resolved'' and resolved_at < $1'),
        -- Notifications of an open alert are kept: without them people would be notified of it once more.
        ('notification', 18, 'table', 'public', 'notification', 'created_at',
            'status <> ''pending'' and created_at < $1 and not exists '
            '(select from public.alert as a where a.alert_id = notification.alert_id and a.status <> ''resolved'')'),
        ('rejected_upload', 19, 'table', 'public', 'rejected_upload', 'received_at', 'received_at < $1'),
        ('unknown_name', 23, 'table', 'public', 'unknown_name', 'last_seen_at', 'last_seen_at < $1'),
        ('watch_log', 24, 'table', 'public', 'watch_log', 'received_at', 'received_at < $1'),
        ('access_log', 25, 'hypertable', 'public', 'access_log', 'accessed_at', null),
        ('vitals.account_session', 26, 'table', 'vitals', 'account_session', 'seen_at', 'seen_at < $1'),
        -- A device with a binding is kept, because the binding says who owned it. heard_at follows samples and events only, so recent
        -- device information is checked as well.
        ('device', 20, 'table', 'public', 'device', 'heard_at',
            'heard_at < $1 and not exists (select from public.device_binding as b where b.device_sn = device.device_sn) '
            'and not exists (select from public.device_info as i where i.device_sn = device.device_sn and i.received_at >= $1)'),
        ('vitals.alert_change', 22, 'table', 'vitals', 'alert_change', 'created_at', 'created_at < $1')
    ) as t (relation, place, kind, schema_name, table_name, time_column, older)
    union all
    select
        n.relation, 2 + n.place, 'rollup',
        case r.kept_by when 'vitals' then 'vitals' else c.materialization_hypertable_schema end::name,
        case r.kept_by when 'vitals' then r.name || '_materialised' else c.materialization_hypertable_name end::name,
        'bucket', null
    from (values
        ('health_15m', 0), ('health_hourly', 1), ('health_daily', 2), ('health_weekly', 3), ('health_monthly', 4)
    ) as n (relation, place)
    left join vitals.rollup as r on r.name = n.relation
    left join timescaledb_information.continuous_aggregates as c on c.view_schema = 'public' and c.view_name = r.name;
end
$$;
comment on function vitals.policy_relations() is 'The relations of policy, and where their rows are.';

-- By the density of its pages when it was last vacuumed or analysed; of one that never was, by the widths of its types, 32 for text. So does the
-- planner; it would ask for a right to read the table, which nobody needs who plans a policy.
create or replace function vitals.estimated_rows(heap regclass) returns bigint
language sql stable
set search_path = pg_catalog, pg_temp
as $$
    select round(pg_relation_size(heap) / 8192 * case
        when c.relpages > 0 and c.reltuples >= 0 then c.reltuples / c.relpages
        else 8168.0 / (28 + (select sum(case when a.attlen > 0 then a.attlen else 32 end) from pg_attribute as a where a.attrelid = heap and a.attnum > 0))
    end)::bigint
    from pg_class as c
    where c.oid = heap
$$;
comment on function vitals.estimated_rows(regclass) is 'Number of rows of a table, estimated by its size.';

-- Chunks of a relation, with estimated rows and actual bytes.
create or replace function vitals.policy_chunks(schema_name name, table_name name)
returns table (chunk text, range_start timestamptz, range_end timestamptz, compressed boolean, rows bigint, bytes bigint)
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    return query
    select
        format('%I.%I', c.chunk_schema, c.chunk_name), c.range_start, c.range_end, coalesce(c.is_compressed, false),
        -- Compressed rows are in another table; TimescaleDB counted them when it compressed them.
        vitals.estimated_rows(format('%I.%I', c.chunk_schema, c.chunk_name)::regclass) + coalesce(z.numrows_pre_compression, 0),
        s.total_bytes
    from timescaledb_information.chunks as c
    join public.chunks_detailed_size(format('%I.%I', policy_chunks.schema_name, policy_chunks.table_name)::regclass) as s
        using (chunk_schema, chunk_name)
    left join _timescaledb_catalog.compression_chunk_size as z on c.is_compressed
        and z.chunk_id = _timescaledb_functions.chunk_id_from_relid(format('%I.%I', c.chunk_schema, c.chunk_name)::regclass)
    where c.hypertable_schema = policy_chunks.schema_name and c.hypertable_name = policy_chunks.table_name
    order by c.range_start;
end
$$;
comment on function vitals.policy_chunks(name, name) is 'Chunks of a hypertable: span, rows (estimated), bytes.';

-- The time before which a relation may be dropped now, and what keeps this time from being now() - keep_for. Rows are kept while a rollup
-- still has to be computed from them, or while their batch is in the outbox: even with a valid policy, the refresh may be behind.
-- Parameters: the relation; the time before which pending changes are ignored (by default an hour after the cutoff, as in vitals.refreshable).
create or replace function vitals.policy_cutoff(
    of_relation text, looked_from timestamptz default null, out until timestamptz, out held text
)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    r       vitals.rollup;
    reached timestamptz;
begin
    select now() - keep_for into until from public.policy where relation = of_relation;
    if until is null then
        return;
    end if;
    for r in select * from vitals.rollup where source = of_relation order by position loop
        reached := vitals.rollup_watermark(r);
        if reached < until then
            until := reached;
            held := case when reached < '0001-01-01' then format('%s was never refreshed', r.name)
                else format('%s is refreshed only up to %s', r.name, to_char(reached, 'YYYY-MM-DD HH24:MI TZ')) end;
        end if;
        reached := vitals.oldest_pending_change(coalesce(looked_from, until + interval '1 hour'));
        if reached < until then
            until := reached;
            held := format('changes of %s wait for the next refresh', of_relation);
        end if;
    end loop;
    if of_relation in ('health_data', 'device_info', 'device_event') then
        select coalesce(min(coalesce(first_ts, '-infinity')), 'infinity') into reached from public.outbox;
        if reached < until then
            until := reached;
            held := 'the outbox still has transactions: is a service running?';
        end if;
    end if;
end
$$;
comment on function vitals.policy_cutoff(text, timestamptz) is 'The time before which a relation may be dropped now, and what prevents a later one.';

-- Why chunks that are old enough may not be dropped yet; NULL: there are none.
create or replace function vitals.retention_hold_reason(of_relation text) returns text
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
    select c.held
    from vitals.policy_cutoff(of_relation) as c
    where c.held is not null and exists (
        select
        from vitals.policy_relations() as t
        join public.policy as p on p.relation = t.relation
        join timescaledb_information.chunks as k on k.hypertable_schema = t.schema_name and k.hypertable_name = t.table_name
        where t.relation = of_relation and k.range_end <= now() - p.keep_for and k.range_end > c.until
    )
$$;
comment on function vitals.retention_hold_reason(text) is 'Why chunks that are old enough may not be dropped yet; NULL: there are none.';

-- Oldest change that waits for the next refresh, among those that a refresh would compute.
create or replace function vitals.oldest_pending_change(looked_from timestamptz) returns timestamptz
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
    select coalesce(least(
        (select min(from_bucket) from vitals.rollup_dirty where to_bucket > looked_from),
        (select min(from_ts) from vitals.refresh_request where to_ts > looked_from)
    ), 'infinity')
$$;
comment on function vitals.oldest_pending_change(timestamptz) is 'Oldest change that waits for a refresh of the rollups; infinity: there is none.';
