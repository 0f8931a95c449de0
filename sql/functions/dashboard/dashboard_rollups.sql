-- Creates the views of the rollups in schema dashboard. store::rollups calls this from `vitals migrate`, after the rollups exist.
-- Parameters: none. Locks: each view, for a moment.
--
-- Rollups have no tenant column. A tenant sees a row if it owned the device from the first sample of the bucket to the last. When a
-- device moves to another tenant, its history stays with the old one, and neither tenant sees the bucket in which it moved. The same
-- holds for organisation units (dashboard.use_unit) and for people (dashboard.person_hourly and its neighbours).
-- For one device there are functions: planning such a query takes ten times as long as running it, and a function is planned once
-- in a session. The functions run with the rights of the caller and return what the views show to that role.
-- A role that sees all tenants, and is not restricted to units, does not read the directory: that condition depends on no row, so
-- PostgreSQL evaluates it first.
-- Rollups that are cut in local days also have a column day: bucket is an instant, and a session in another zone shows it as
-- another date.
create or replace function vitals.create_dashboard_rollups() returns void
language plpgsql
set search_path = pg_catalog, public, pg_temp
as $$
declare
    tenants constant text := '(select s.tenants from sees as s)';
    units   constant text := '(select s.units from sees as s)';
    r       vitals.rollup;
    c       record;
    local   boolean;
begin
    for r in select * from vitals.rollup order by position loop
        local := r.width >= interval '1 day';
        execute format(
            'create or replace view dashboard.%1$I with (security_barrier) as '
            -- Asked once in a query.
            'with sees as materialized ('
                'select vitals.dashboard_tenants(current_user) as tenants, vitals.dashboard_units() as units'
            ') '
            'select %3$s from public.%1$I as r '
            'left join ('
                'select p.device_sn, range_agg(p.period) as periods from vitals.device_period as p '
                'where (%2$s is null or p.customer_id = any (%2$s::bigint[])) and (%4$s is null or p.org_id = any (%4$s::bigint[])) '
                'and (%2$s is not null or %4$s is not null) group by p.device_sn'
            ') as mine using (device_sn) '
            'where %2$s is null and %4$s is null or mine.periods @> tstzrange(r.first_ts, r.last_ts, ''[]'')',
            r.name, tenants,
            vitals.dashboard_rollup_columns(r), units
        );
        execute format(
            'create or replace function dashboard.%2$I(device text, from_ts timestamptz, to_ts timestamptz) '
            'returns setof dashboard.%1$I language plpgsql stable parallel safe '
            'set search_path = pg_catalog, pg_temp set plan_cache_mode = force_generic_plan '
            'as $f$ begin return query '
                'select r.* from dashboard.%1$I as r '
                'where r.device_sn = device and r.bucket >= from_ts and r.bucket < to_ts order by r.bucket; '
            'end $f$',
            r.name, 'device_' || replace(r.name, 'health_', '')
        );
        execute format(
            'comment on function dashboard.%I(text, timestamptz, timestamptz) is %L',
            'device_' || replace(r.name, 'health_', ''),
            format('Rows of dashboard.%s of one device, buckets that begin from from_ts on and before to_ts, in order.', r.name)
        );
        execute format(
            'create or replace function dashboard.%2$I(person bigint, from_ts timestamptz, to_ts timestamptz) '
            'returns setof dashboard.%1$I language plpgsql stable parallel safe '
            'set search_path = pg_catalog, pg_temp set plan_cache_mode = force_generic_plan '
            'as $f$ begin return query '
                'select r.* from dashboard.worn(person, from_ts, to_ts) as w '
                'cross join lateral dashboard.%3$I(w.device_sn, from_ts, to_ts) as r '
                'where w.periods @> tstzrange(r.first_ts, r.last_ts, ''[]'') order by r.bucket, r.device_sn; '
            'end $f$',
            r.name, 'person_' || replace(r.name, 'health_', ''), 'device_' || replace(r.name, 'health_', '')
        );
        execute format(
            'comment on function dashboard.%I(bigint, timestamptz, timestamptz) is %L',
            'person_' || replace(r.name, 'health_', ''),
            format('Rows of dashboard.%s of the devices that a person wore from the first sample of the bucket to the last, '
                'buckets that begin from from_ts on and before to_ts, in order.', r.name)
        );
        execute format('comment on view dashboard.%I is %L', r.name, obj_description(format('public.%I', r.name)::regclass));
        for c in
            select a.attname as name, col_description(a.attrelid, a.attnum) as words
            from pg_attribute as a
            where a.attrelid = format('public.%I', r.name)::regclass and a.attnum > 0 and not a.attisdropped
        loop
            execute format('comment on column dashboard.%I.%I is %L', r.name, c.name, c.words);
        end loop;
        execute format(
            'comment on column dashboard.%I.cell is %L', r.name, 'The cell it is in: the database, where several share the tenants.'
        );
        if local then
            execute format(
                'comment on column dashboard.%I.day is %L', r.name,
                format('The date of the bucket, the first one of weeks and months, in the zone of the rollup (%s).', r.time_zone)
            );
        end if;
    end loop;
end
$$;
comment on function vitals.create_dashboard_rollups() is 'Creates or replaces the views of the rollups in schema dashboard.';

-- The columns of such a view. Existing columns keep their order, because `create or replace view` allows nothing else; new ones are appended.
create or replace function vitals.dashboard_rollup_columns(r vitals.rollup) returns text
language sql
stable
set search_path = pg_catalog, public, pg_temp
as $$
    select string_agg(
        case wanted.name
            when 'day' then format('(r.bucket at time zone %L)::date as day', r.time_zone)
            when 'cell' then '(select c.name from vitals.cell as c) as cell'
            else format('r.%I', wanted.name)
        end,
        ', ' order by shown.attnum, wanted.place
    )
    from (
        select a.attname as name, a.attnum as place
        from pg_attribute as a
        where a.attrelid = format('public.%I', r.name)::regclass and a.attnum > 0 and not a.attisdropped
        union all
        select 'day', 32766 where r.width >= interval '1 day'
        union all
        select 'cell', 32767
    ) as wanted
    left join pg_attribute as shown
        on shown.attrelid = to_regclass(format('dashboard.%I', r.name)) and shown.attname = wanted.name
        and shown.attnum > 0 and not shown.attisdropped
$$;
comment on function vitals.dashboard_rollup_columns(vitals.rollup) is 'The columns of a rollup as schema dashboard shows them.';
