-- The views of schema dashboard of people, of who wore which device when, and of what the devices recorded.
-- Parameters: none. Locks: each view, for a moment.
--
-- They are security barriers like the others (dashboard_views.sql). A record belongs to whoever wore the device at its time, as the
-- directory has it, whatever the record itself names: to a tenant, an organisation unit and a person.

-- Two look-ups by the key for each binding, so that a condition on the device or on the person finds its rows by an index.
create or replace view dashboard.device_binding with (security_barrier) as
select
    b.device_sn, b.user_id, u.name as user_name, u.org_id, g.name as org_name, g.customer_id,
    case
        when exists (select from public.device_binding as e where e.device_sn = b.device_sn and e.valid_from < b.valid_from)
        then b.valid_from
    end as valid_from,
    least(
        b.valid_until,
        (select min(n.valid_from) from public.device_binding as n where n.device_sn = b.device_sn and n.valid_from > b.valid_from)
    ) as valid_until,
    (select c.name from vitals.cell as c) as cell
from public.device_binding as b
join public.app_user as u on u.user_id = b.user_id
left join public.org_unit as g on g.org_id = u.org_id
where (
        (select vitals.dashboard_tenants(current_user)) is null
        or g.customer_id = any ((select vitals.dashboard_tenants(current_user))::bigint[])
    )
    and (
        (select vitals.dashboard_units()) is null
        or u.org_id = any ((select vitals.dashboard_units())::bigint[])
    );

comment on view dashboard.device_binding is 'Who wore which device when, one row per binding.';
comment on column dashboard.device_binding.device_sn   is 'Serial number of the device.';
comment on column dashboard.device_binding.user_id     is 'Who wears it.';
comment on column dashboard.device_binding.user_name   is 'Name of the wearer. NULL: not known.';
comment on column dashboard.device_binding.org_id      is 'Organisation unit of the wearer today. NULL: none.';
comment on column dashboard.device_binding.org_name    is 'Its name. NULL: none, or not known.';
comment on column dashboard.device_binding.customer_id is 'Tenant. NULL: none.';
comment on column dashboard.device_binding.valid_from  is 'Since when. NULL: it is the first binding of the device, and what the device sent before belongs to it too.';
comment on column dashboard.device_binding.valid_until is 'Until when, exclusive. NULL: it has not ended.';
comment on column dashboard.device_binding.cell        is 'The cell it is in: the database, where several share the tenants.';

create or replace view dashboard.person with (security_barrier) as
select
    u.user_id, u.name, u.room, u.org_id, g.name as org_name, g.customer_id, t.name as customer_name,
    (select c.name from vitals.cell as c) as cell
from public.app_user as u
left join public.org_unit as g on g.org_id = u.org_id
left join public.customer as t on t.customer_id = g.customer_id
where (
        (select vitals.dashboard_tenants(current_user)) is null
        or g.customer_id = any ((select vitals.dashboard_tenants(current_user))::bigint[])
    )
    and (
        (select vitals.dashboard_units()) is null
        or u.org_id = any ((select vitals.dashboard_units())::bigint[])
    );

comment on view dashboard.person is 'People who wear devices, one row per person.';
comment on column dashboard.person.user_id       is 'Number of the person.';
comment on column dashboard.person.name          is 'Name. NULL: not known.';
comment on column dashboard.person.room          is 'Where the person is found. NULL: not known.';
comment on column dashboard.person.org_id        is 'Organisation unit. NULL: none.';
comment on column dashboard.person.org_name      is 'Its name. NULL: none, or not known.';
comment on column dashboard.person.customer_id   is 'Tenant. NULL: none.';
comment on column dashboard.person.customer_name is 'Its name. NULL: none, or not known.';
comment on column dashboard.person.cell          is 'The cell it is in: the database, where several share the tenants.';

create or replace view dashboard.org_unit with (security_barrier) as
select g.org_id, g.name, g.ancestors, g.customer_id, (select c.name from vitals.cell as c) as cell
from public.org_unit as g
where (
        (select vitals.dashboard_tenants(current_user)) is null
        or g.customer_id = any ((select vitals.dashboard_tenants(current_user))::bigint[])
    )
    and (
        (select vitals.dashboard_units()) is null
        or g.org_id = any ((select vitals.dashboard_units())::bigint[])
    );

comment on view dashboard.org_unit is 'Organisation units, one row per unit.';
comment on column dashboard.org_unit.org_id      is 'Number of the unit.';
comment on column dashboard.org_unit.name        is 'Name. NULL: not known.';
comment on column dashboard.org_unit.ancestors   is 'Units above it, from the root down; zeros mean nothing.';
comment on column dashboard.org_unit.customer_id is 'Tenant.';
comment on column dashboard.org_unit.cell        is 'The cell it is in: the database, where several share the tenants.';

-- The metrics come last: `create or replace view` allows new columns at the end only.
create or replace view dashboard.sample with (security_barrier) as
select
    h.device_sn, h.ts, o.user_id, o.org_id, nullif(o.customer_id, 0) as customer_id, h.received_at, h.upload_method,
    (select c.name from vitals.cell as c) as cell,
    -- generated: columns of h
    h.heart_rate, h.blood_oxygen, h.temperature, h.pressure_high, h.pressure_low, h.stress, h.step, h.distance,
    h.calorie, h.latitude, h.longitude, h.altitude, h.respiratory_rate, h.heart_rate_variability, h.blood_glucose,
    h.skin_temperature
    -- end
from public.health_data as h
left join vitals.device_period as o on o.device_sn = h.device_sn and o.period @> h.ts
where (
        (select vitals.dashboard_tenants(current_user)) is null
        or o.customer_id = any ((select vitals.dashboard_tenants(current_user))::bigint[])
    )
    and (
        (select vitals.dashboard_units()) is null
        or o.org_id = any ((select vitals.dashboard_units())::bigint[])
    );

comment on view dashboard.sample is 'Samples, one row per device and instant. Name the device and a time range; for a person, a day or longer there are rollups.';
comment on column dashboard.sample.device_sn     is 'Serial number of the device.';
comment on column dashboard.sample.ts            is 'When the sample was taken.';
comment on column dashboard.sample.user_id       is 'Wearer at that time. NULL: nobody.';
comment on column dashboard.sample.org_id        is 'Organisation unit of the wearer. NULL: none.';
comment on column dashboard.sample.customer_id   is 'Tenant. NULL: none.';
comment on column dashboard.sample.received_at   is 'When the service received it.';
comment on column dashboard.sample.upload_method is 'Channel it came by, as sent. NULL: not sent.';
comment on column dashboard.sample.cell          is 'The cell it is in: the database, where several share the tenants.';
-- generated: comments on dashboard.sample
comment on column dashboard.sample.heart_rate is 'Heart rate, beats per minute. NULL: not measured.';
comment on column dashboard.sample.blood_oxygen is 'SpO2, percent. NULL: not measured.';
comment on column dashboard.sample.temperature is 'Body temperature, degrees Celsius. NULL: not measured.';
comment on column dashboard.sample.pressure_high is 'Systolic pressure (derived by the watch), mmHg. NULL: not measured.';
comment on column dashboard.sample.pressure_low is 'Diastolic pressure (derived by the watch), mmHg. NULL: not measured.';
comment on column dashboard.sample.stress is 'Stress, score 1 to 100. NULL: not measured.';
comment on column dashboard.sample.step is 'Steps of the local day so far, count. NULL: not sent.';
comment on column dashboard.sample.distance is 'Distance of the local day so far, metres. NULL: not sent.';
comment on column dashboard.sample.calorie is 'Energy of the local day so far, small calories. NULL: not sent.';
comment on column dashboard.sample.latitude is 'Latitude, degrees north, WGS 84. NULL: no position.';
comment on column dashboard.sample.longitude is 'Longitude, degrees east, WGS 84. NULL: no position.';
comment on column dashboard.sample.altitude is 'Altitude, metres. NULL: no position.';
comment on column dashboard.sample.respiratory_rate is 'Respiratory rate, breaths per minute. NULL: not measured.';
comment on column dashboard.sample.heart_rate_variability is 'Heart rate variability (RMSSD), milliseconds. NULL: not measured.';
comment on column dashboard.sample.blood_glucose is 'Blood glucose, mmol/L. NULL: not measured.';
comment on column dashboard.sample.skin_temperature is 'Skin temperature, degrees Celsius. NULL: not measured.';
-- end

create or replace view dashboard.position with (security_barrier) as
select s.device_sn, s.ts, s.latitude, s.longitude, s.altitude, s.user_id, s.org_id, s.customer_id, s.cell
from dashboard.sample as s
where s.latitude is not null and s.longitude is not null;

comment on view dashboard.position is 'Positions, one row per sample that has one.';
comment on column dashboard.position.device_sn   is 'Serial number of the device.';
comment on column dashboard.position.ts          is 'When the sample was taken.';
comment on column dashboard.position.latitude    is 'Degrees north, WGS 84.';
comment on column dashboard.position.longitude   is 'Degrees east.';
comment on column dashboard.position.altitude    is 'Metres. NULL: not sent.';
comment on column dashboard.position.user_id     is 'Wearer at that time. NULL: nobody.';
comment on column dashboard.position.org_id      is 'Organisation unit of the wearer. NULL: none.';
comment on column dashboard.position.customer_id is 'Tenant. NULL: none.';
comment on column dashboard.position.cell        is 'The cell it is in: the database, where several share the tenants.';

create or replace view dashboard.event with (security_barrier) as
select
    e.device_sn, e.event_type, e.ts, e.severity, e.value, e.latitude, e.longitude, e.altitude, e.received_at,
    o.user_id, u.name as user_name, o.org_id, nullif(o.customer_id, 0) as customer_id, (select c.name from vitals.cell as c) as cell
from public.device_event as e
left join vitals.device_period as o on o.device_sn = e.device_sn and o.period @> e.ts
left join public.app_user as u on u.user_id = o.user_id
where (
        (select vitals.dashboard_tenants(current_user)) is null
        or o.customer_id = any ((select vitals.dashboard_tenants(current_user))::bigint[])
    )
    and (
        (select vitals.dashboard_units()) is null
        or o.org_id = any ((select vitals.dashboard_units())::bigint[])
    );

comment on view dashboard.event is 'Events that devices reported, one row per event.';
comment on column dashboard.event.device_sn   is 'Serial number of the device.';
comment on column dashboard.event.event_type  is 'Type, upper case.';
comment on column dashboard.event.ts          is 'When it happened.';
comment on column dashboard.event.severity    is 'Severity of the type when the event was stored: critical, major, minor or info.';
comment on column dashboard.event.value       is 'Value that was sent with it. NULL: none.';
comment on column dashboard.event.latitude    is 'Degrees north. NULL: no position.';
comment on column dashboard.event.longitude   is 'Degrees east. NULL: no position.';
comment on column dashboard.event.altitude    is 'Metres. NULL: none.';
comment on column dashboard.event.received_at is 'When the service received it.';
comment on column dashboard.event.user_id     is 'Wearer at that time. NULL: nobody.';
comment on column dashboard.event.user_name   is 'Name of the wearer. NULL: nobody, or not known.';
comment on column dashboard.event.org_id      is 'Organisation unit of the wearer. NULL: none.';
comment on column dashboard.event.customer_id is 'Tenant. NULL: none.';
comment on column dashboard.event.cell        is 'The cell it is in: the database, where several share the tenants.';

create or replace view dashboard.workout with (security_barrier) as
select
    w.device_sn, w.start_ts, w.end_ts, w.workout_type, n.name as type_name, w.calorie, w.distance,
    o.user_id, o.org_id, nullif(o.customer_id, 0) as customer_id, (select c.name from vitals.cell as c) as cell
from public.workout as w
left join public.workout_type as n on n.workout_type = w.workout_type
left join vitals.device_period as o on o.device_sn = w.device_sn and o.period @> w.start_ts
where (
        (select vitals.dashboard_tenants(current_user)) is null
        or o.customer_id = any ((select vitals.dashboard_tenants(current_user))::bigint[])
    )
    and (
        (select vitals.dashboard_units()) is null
        or o.org_id = any ((select vitals.dashboard_units())::bigint[])
    );

comment on view dashboard.workout is 'Workouts, one row per workout.';
comment on column dashboard.workout.device_sn    is 'Serial number of the device.';
comment on column dashboard.workout.start_ts     is 'Start.';
comment on column dashboard.workout.end_ts       is 'End.';
comment on column dashboard.workout.workout_type is 'Type as sent. NULL: not sent.';
comment on column dashboard.workout.type_name    is 'Name of the type, in English. NULL: not known.';
comment on column dashboard.workout.calorie      is 'Energy as sent, in the unit of the device. NULL: not sent.';
comment on column dashboard.workout.distance     is 'Distance, metres. NULL: not sent.';
comment on column dashboard.workout.user_id      is 'Wearer at the start. NULL: nobody.';
comment on column dashboard.workout.org_id       is 'Organisation unit of the wearer. NULL: none.';
comment on column dashboard.workout.customer_id  is 'Tenant. NULL: none.';
comment on column dashboard.workout.cell         is 'The cell it is in: the database, where several share the tenants.';

-- A day in the zone of the rollups belongs to whoever wore the device on it. If several did, the day belongs to no one; if they have a unit
-- or a tenant in common, it is the unit's or the tenant's.
create or replace view dashboard.exercise_day with (security_barrier) as
select
    x.device_sn, x.day, x.strength_minutes, x.active_hours, x.steps, o.user_id, o.org_id, nullif(o.customer_id, 0) as customer_id,
    (select c.name from vitals.cell as c) as cell
from public.exercise_day as x
cross join (select r.time_zone from vitals.rollup as r where r.name = 'health_daily') as z
cross join lateral (
    select
        case when count(distinct coalesce(p.user_id, 0)) = 1 then min(p.user_id) end         as user_id,
        case when count(distinct coalesce(p.org_id, 0)) = 1 then min(p.org_id) end           as org_id,
        case when count(distinct coalesce(p.customer_id, 0)) = 1 then min(p.customer_id) end as customer_id
    from vitals.device_period as p
    where p.device_sn = x.device_sn
        and p.period && tstzrange(x.day::timestamp at time zone z.time_zone, (x.day + 1)::timestamp at time zone z.time_zone)
) as o
where (
        (select vitals.dashboard_tenants(current_user)) is null
        or o.customer_id = any ((select vitals.dashboard_tenants(current_user))::bigint[])
    )
    and (
        (select vitals.dashboard_units()) is null
        or o.org_id = any ((select vitals.dashboard_units())::bigint[])
    );

comment on view dashboard.exercise_day is 'Exercise, one row per device and local day.';
comment on column dashboard.exercise_day.device_sn        is 'Serial number of the device.';
comment on column dashboard.exercise_day.day              is 'Local day of the device.';
comment on column dashboard.exercise_day.strength_minutes is 'Minutes at medium or high intensity. NULL: not sent.';
comment on column dashboard.exercise_day.active_hours     is 'Hours with activity. NULL: not sent.';
comment on column dashboard.exercise_day.steps            is 'Steps. NULL: not sent.';
comment on column dashboard.exercise_day.user_id          is 'Wearer on that day. NULL: nobody, or several.';
comment on column dashboard.exercise_day.org_id           is 'Organisation unit of the wearers. NULL: none, or several.';
comment on column dashboard.exercise_day.customer_id      is 'Tenant. NULL: none, or several.';
comment on column dashboard.exercise_day.cell             is 'The cell it is in: the database, where several share the tenants.';
