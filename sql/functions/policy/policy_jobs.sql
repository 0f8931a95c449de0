-- Creates and changes jobs of TimescaleDB as policy says (Community edition): refresh, retention, columnstore.

-- The procedure that TimescaleDB calls by the clock. Our own procedure enforces retention, not TimescaleDB's retention policies: those
-- check the age only, and would drop rows that are not rolled up yet.
create or replace procedure vitals.apply_policies_job(job_id integer, config jsonb)
language plpgsql
as $$
begin
    call public.apply_policies();
end
$$;
comment on procedure vitals.apply_policies_job(integer, jsonb) is 'The job of TimescaleDB that calls apply_policies().';

-- Idempotent. Does nothing on the Apache edition, where the service calls refresh_rollups() and apply_policies() itself.
-- Locks: the rows of the jobs; a relation that is compressed for the first time, for a moment.
create or replace function vitals.sync_policies() returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    p record;
begin
    if vitals.edition() <> 'community' then
        return;
    end if;
    perform vitals.refuse_foreign_functions();
    perform vitals.schedule_rollups();
    if not exists (
        select from timescaledb_information.jobs as j
        where j.proc_schema = 'vitals' and j.proc_name = 'apply_policies_job'
    ) then
        perform public.add_job(
            'vitals.apply_policies_job', interval '10 minutes',
            initial_start => now() + interval '10 minutes', fixed_schedule => false
        );
    end if;
    for p in
        select t.relation, t.kind, t.schema_name, t.table_name, t.time_column, o.compress_after
        from vitals.policy_relations() as t left join public.policy as o on o.relation = t.relation
        where t.kind <> 'table' and t.table_name is not null
        order by t.place
    loop
        perform vitals.sync_columnstore(p.relation, p.kind, p.schema_name, p.table_name, p.time_column, p.compress_after);
    end loop;
end
$$;
comment on function vitals.sync_policies() is 'Creates and changes the jobs of TimescaleDB as policy says.';

-- Creates, changes or removes the columnstore policy of one relation. A compressed batch holds rows of one device in the order of time, as queries ask for them.
create or replace function vitals.sync_columnstore(
    relation text, kind text, schema_name name, table_name name, time_column text, compress_after interval
) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    -- The columnstore functions take the view of a continuous aggregate, not its table.
    named   constant text := case kind when 'rollup' then format('public.%I', relation)
        else format('%I.%I', schema_name, table_name) end;
    current interval;
begin
    select (j.config ->> 'compress_after')::interval into current
    from timescaledb_information.jobs as j
    where j.proc_name = 'policy_compression'
        and format('%I.%I', j.hypertable_schema, j.hypertable_name) = named;
    if current is not distinct from sync_columnstore.compress_after then
        return;
    end if;
    if current is not null then
        call public.remove_columnstore_policy(named::regclass, if_exists => true);
    end if;
    if sync_columnstore.compress_after is null then
        return;
    end if;
    if not exists (
        select from timescaledb_information.hypertable_columnstore_settings as s
        where s.hypertable = format('%I.%I', schema_name, table_name)::regclass and s.orderby is not null
    ) then
        execute format(
            'alter %s %s set (timescaledb.enable_columnstore, timescaledb.segmentby = %L, timescaledb.orderby = %L)',
            case kind when 'rollup' then 'materialized view' else 'table' end, named,
            case when relation = 'vitals.ingest_batch' then 'instance' else 'device_sn' end,
            time_column || case when relation = 'device_event' then ', event_type' else '' end
        );
        -- TimescaleDB adds a default policy here; the next statement adds the one with our interval.
        call public.remove_columnstore_policy(named::regclass, if_exists => true);
    end if;
    call public.add_columnstore_policy(named::regclass, after => sync_columnstore.compress_after, if_not_exists => true);
end
$$;
comment on function vitals.sync_columnstore(text, text, name, name, text, interval) is 'Creates, changes or removes the columnstore policy of one relation as policy says.';
