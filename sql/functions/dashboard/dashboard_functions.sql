-- Functions of schema dashboard for one device or one person. Those of the rollups are in dashboard_rollups.sql.
-- Planning a query over the views takes longer than running it, and a function is planned once in a session. They run with the rights
-- of the caller and return what the views show to that role.

-- Samples of one device, in the order of time.
-- Parameters: device, its serial; from_ts, to_ts (exclusive); most rows, NULL: all. Locks: none.
create or replace function dashboard.device_samples(device text, from_ts timestamptz, to_ts timestamptz, most bigint default null)
returns setof dashboard.sample
language plpgsql
stable
parallel safe
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
as $$
begin
    return query
    select s.* from dashboard.sample as s
    where s.device_sn = device and s.ts >= from_ts and s.ts < to_ts
    order by s.ts
    limit most;
end
$$;
comment on function dashboard.device_samples(text, timestamptz, timestamptz, bigint) is 'Rows of dashboard.sample of one device from from_ts on and before to_ts, in order.';

-- The devices that a person wore between two times, and when, by device.
-- Parameters: person, the user_id; from_ts, to_ts (exclusive). Locks: none.
create or replace function dashboard.worn(person bigint, from_ts timestamptz, to_ts timestamptz)
returns table (device_sn text, periods tstzmultirange)
language plpgsql
stable
parallel safe
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
as $$
begin
    return query
    select b.device_sn, range_agg(tstzrange(b.valid_from, b.valid_until))
    from dashboard.device_binding as b
    where b.user_id = person
        and (b.valid_until is null or b.valid_until > from_ts)
        and (b.valid_from is null or b.valid_from < to_ts)
    group by b.device_sn
    order by b.device_sn;
end
$$;
comment on function dashboard.worn(bigint, timestamptz, timestamptz) is 'Devices that a person wore between two times, and when.';

-- Samples of all devices that a person wore at their time, in the order of time.
-- Parameters: person, the user_id; from_ts, to_ts (exclusive); most rows, NULL: all. Locks: none.
create or replace function dashboard.person_samples(person bigint, from_ts timestamptz, to_ts timestamptz, most bigint default null)
returns setof dashboard.sample
language plpgsql
stable
parallel safe
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
as $$
begin
    return query
    select s.*
    from dashboard.worn(person, from_ts, to_ts) as w
    cross join lateral unnest(w.periods) as p (period)
    cross join lateral dashboard.device_samples(
        w.device_sn, greatest(from_ts, lower(p.period)), least(to_ts, upper(p.period)), most
    ) as s
    order by s.ts, s.device_sn
    limit most;
end
$$;
comment on function dashboard.person_samples(bigint, timestamptz, timestamptz, bigint) is 'Rows of dashboard.sample of the devices that a person wore at their time, from from_ts on and before to_ts, in order.';

-- Positions of one device, in the order of time.
-- Parameters: device, its serial; from_ts, to_ts (exclusive); most rows, NULL: all. Locks: none.
create or replace function dashboard.device_track(device text, from_ts timestamptz, to_ts timestamptz, most bigint default null)
returns setof dashboard.position
language plpgsql
stable
parallel safe
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
as $$
begin
    return query
    select s.* from dashboard.position as s
    where s.device_sn = device and s.ts >= from_ts and s.ts < to_ts
    order by s.ts
    limit most;
end
$$;
comment on function dashboard.device_track(text, timestamptz, timestamptz, bigint) is 'Rows of dashboard.position of one device from from_ts on and before to_ts, in order.';
