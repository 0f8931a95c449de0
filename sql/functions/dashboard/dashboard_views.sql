-- The views of schema dashboard, except those of the rollups and of what people and devices recorded (dashboard_records.sql).
-- Parameters: none. Locks: each view, for a moment.
--
-- Every view is a security barrier: PostgreSQL evaluates a condition of the reader after ours if it could disclose rows (by an
-- error, a notice, or its run time). Comparisons of serials and times are leakproof and come first, so they use the indexes.
-- Subqueries that depend on no row look up the tenants and the units, once per query.

-- Devices and who owns them now. Identifiers that are unique worldwide (IMEI, addresses) are left out.
create or replace view dashboard.device with (security_barrier) as
select
    d.device_sn, d.first_seen_at, d.info_ts, d.model, d.system_version, d.battery_level, d.voltage, d.charging_status,
    d.wear_state, d.network_mode, d.status, o.user_id, u.name as user_name, o.org_id, g.name as org_name,
    nullif(o.customer_id, 0) as customer_id, t.name as customer_name, d.clock_offset_seconds,
    (select c.name from vitals.cell as c) as cell
from device as d
left join vitals.device_period as o on o.device_sn = d.device_sn and o.period @> now()
left join app_user as u on u.user_id = o.user_id
left join org_unit as g on g.org_id = o.org_id
left join customer as t on t.customer_id = o.customer_id
where (
        (select vitals.dashboard_tenants(current_user)) is null
        or o.customer_id = any ((select vitals.dashboard_tenants(current_user))::bigint[])
    )
    and (
        (select vitals.dashboard_units()) is null
        or o.org_id = any ((select vitals.dashboard_units())::bigint[])
    );

comment on view dashboard.device is 'One row per device that has ever sent data: its latest device information, and who owns it now.';
comment on column dashboard.device.device_sn       is 'Serial number of the device.';
comment on column dashboard.device.first_seen_at   is 'When the service first reacted to data of the device.';
comment on column dashboard.device.info_ts         is 'Effective time of its newest device information: the event time, or the time of receipt if it is dated ahead. NULL: none was received.';
comment on column dashboard.device.model           is 'Model. NULL: not sent.';
comment on column dashboard.device.system_version  is 'Software. NULL: not sent.';
comment on column dashboard.device.battery_level   is 'Charge of the battery, percent. NULL: not sent.';
comment on column dashboard.device.voltage         is 'Voltage of the battery, as sent. NULL: not sent.';
comment on column dashboard.device.charging_status is 'CHARGING, NOT_CHARGING or UNKNOWN. NULL: not sent.';
comment on column dashboard.device.wear_state      is 'Whether it is worn, as sent: 1 worn, 0 not. NULL: not sent.';
comment on column dashboard.device.network_mode    is 'Type of its network connection, as sent. NULL: not sent.';
comment on column dashboard.device.status          is 'State that the device reports, as sent. NULL: not sent.';
comment on column dashboard.device.user_id         is 'Wearer. NULL: nobody.';
comment on column dashboard.device.user_name       is 'Name of the wearer. NULL: nobody, or not known.';
comment on column dashboard.device.org_id          is 'Organisation unit of the wearer. NULL: none.';
comment on column dashboard.device.org_name        is 'Its name. NULL: none, or not known.';
comment on column dashboard.device.customer_id     is 'Tenant. NULL: none.';
comment on column dashboard.device.customer_name   is 'Its name. NULL: none, or not known.';
comment on column dashboard.device.clock_offset_seconds is 'How far its clock is behind, seconds; negative: it is ahead. NULL: not known to be more than a minute off.';
comment on column dashboard.device.cell            is 'The cell it is in: the database, where several share the tenants.';

-- The newest sample of each device, looked up by the key of health_data. A device without a sample in the last week has no row.
-- The owner of the sample is the owner of the device at that time.
create or replace view dashboard.latest with (security_barrier) as
select
    -- That of the table, not of the sample: a condition on it then uses the key of the table.
    d.device_sn, s.ts,
    -- generated: latest of s,
    s.heart_rate, s.blood_oxygen, s.temperature, s.pressure_high, s.pressure_low, s.stress, s.step, s.distance,
    s.calorie, s.latitude, s.longitude,
    -- end
    o.user_id, u.name as user_name, o.org_id, g.name as org_name, nullif(o.customer_id, 0) as customer_id
    -- `create or replace view` allows new columns at the end only.
    -- generated: later than latest of s
    , s.respiratory_rate
    , s.heart_rate_variability
    , s.blood_glucose
    , s.skin_temperature
    -- end
    , (select c.name from vitals.cell as c) as cell
from device as d
cross join lateral (
    select h.*
    from health_data as h
    where h.device_sn = d.device_sn and h.ts > now() - interval '7 days'
    order by h.ts desc
    limit 1
) as s
left join vitals.device_period as o on o.device_sn = d.device_sn and o.period @> s.ts
left join app_user as u on u.user_id = o.user_id
left join org_unit as g on g.org_id = o.org_id
where (
        (select vitals.dashboard_tenants(current_user)) is null
        or o.customer_id = any ((select vitals.dashboard_tenants(current_user))::bigint[])
    )
    and (
        (select vitals.dashboard_units()) is null
        or o.org_id = any ((select vitals.dashboard_units())::bigint[])
    );

comment on view dashboard.latest is 'The newest sample of each device within a week, and its owner.';
comment on column dashboard.latest.device_sn     is 'Serial number of the device.';
comment on column dashboard.latest.ts            is 'When the sample was taken.';
-- generated: comments on dashboard.latest
comment on column dashboard.latest.heart_rate is 'Heart rate, beats per minute. NULL: not measured.';
comment on column dashboard.latest.blood_oxygen is 'SpO2, percent. NULL: not measured.';
comment on column dashboard.latest.temperature is 'Body temperature, degrees Celsius. NULL: not measured.';
comment on column dashboard.latest.pressure_high is 'Systolic pressure (derived by the watch), mmHg. NULL: not measured.';
comment on column dashboard.latest.pressure_low is 'Diastolic pressure (derived by the watch), mmHg. NULL: not measured.';
comment on column dashboard.latest.stress is 'Stress, score 1 to 100. NULL: not measured.';
comment on column dashboard.latest.step is 'Steps of the local day so far, count. NULL: not sent.';
comment on column dashboard.latest.distance is 'Distance of the local day so far, metres. NULL: not sent.';
comment on column dashboard.latest.calorie is 'Energy of the local day so far, small calories. NULL: not sent.';
comment on column dashboard.latest.latitude is 'Latitude, degrees north, WGS 84. NULL: no position.';
comment on column dashboard.latest.longitude is 'Longitude, degrees east, WGS 84. NULL: no position.';
comment on column dashboard.latest.respiratory_rate is 'Respiratory rate, breaths per minute. NULL: not measured.';
comment on column dashboard.latest.heart_rate_variability is 'Heart rate variability (RMSSD), milliseconds. NULL: not measured.';
comment on column dashboard.latest.blood_glucose is 'Blood glucose, mmol/L. NULL: not measured.';
comment on column dashboard.latest.skin_temperature is 'Skin temperature, degrees Celsius. NULL: not measured.';
-- end
comment on column dashboard.latest.user_id       is 'Wearer at that time. NULL: nobody.';
comment on column dashboard.latest.user_name     is 'Name of the wearer. NULL: nobody, or not known.';
comment on column dashboard.latest.org_id        is 'Organisation unit of the wearer. NULL: none.';
comment on column dashboard.latest.org_name      is 'Its name. NULL: none, or not known.';
comment on column dashboard.latest.customer_id   is 'Tenant. NULL: none.';
comment on column dashboard.latest.cell          is 'The cell it is in: the database, where several share the tenants.';

-- The tenant of an alert is the tenant of the row that raised it.
create or replace view dashboard.alert with (security_barrier) as
select
    a.alert_id, a.device_sn, a.rule_id, r.name as rule_name, a.kind, a.severity, coalesce(a.event_type, a.metric, a.kind) as type,
    a.status, a.historical, a.fired_ts, a.last_ts, a.fired_at, a.breach_count, a.last_value, a.peak_value, a.message,
    a.acknowledged_at, a.acknowledged_by, a.resolved_at, a.resolution, a.latitude, a.longitude,
    a.user_id, u.name as user_name, a.org_id, g.name as org_name, a.customer_id, a.peak_severity,
    (select c.name from vitals.cell as c) as cell
from alert as a
left join alert_rule as r on r.rule_id = a.rule_id
left join app_user as u on u.user_id = a.user_id
left join org_unit as g on g.org_id = a.org_id
where (
        (select vitals.dashboard_tenants(current_user)) is null
        or a.customer_id = any ((select vitals.dashboard_tenants(current_user))::bigint[])
    )
    and (
        (select vitals.dashboard_units()) is null
        or a.org_id = any ((select vitals.dashboard_units())::bigint[])
    );

comment on view dashboard.alert is 'One row per alert.';
comment on column dashboard.alert.alert_id        is 'Number of the alert.';
comment on column dashboard.alert.device_sn       is 'Serial number of the device.';
comment on column dashboard.alert.rule_id         is 'The rule that raised it.';
comment on column dashboard.alert.rule_name       is 'What people call the rule.';
comment on column dashboard.alert.kind            is 'Kind of the rule: threshold, composite, event, silence.';
comment on column dashboard.alert.severity        is 'critical, major, minor or info: now, or when it ended.';
comment on column dashboard.alert.type            is 'Subject: the type of the event, the vital sign, or else the kind of the rule.';
comment on column dashboard.alert.status          is 'firing, acknowledged (a person takes care of it) or resolved.';
comment on column dashboard.alert.historical      is 'Whether all its breaches were received late: nobody was notified.';
comment on column dashboard.alert.fired_ts        is 'Event time of the reading that raised it.';
comment on column dashboard.alert.last_ts         is 'Event time of the newest breach in it.';
comment on column dashboard.alert.fired_at        is 'When the service raised it.';
comment on column dashboard.alert.breach_count    is 'Readings (events) that breached.';
comment on column dashboard.alert.last_value      is 'Newest breaching reading, in the unit of the vital sign. NULL: kind is not threshold.';
comment on column dashboard.alert.peak_value      is 'Breaching reading farthest from the bounds. NULL: kind is not threshold.';
comment on column dashboard.alert.message         is 'Text of the notification when it fired.';
comment on column dashboard.alert.acknowledged_at is 'When a person acknowledged it. NULL: nobody has.';
comment on column dashboard.alert.acknowledged_by is 'Who acknowledged it. NULL: nobody has.';
comment on column dashboard.alert.resolved_at     is 'When it was resolved. NULL: it is open.';
comment on column dashboard.alert.resolution      is 'How it ended: recovered, expired, manual, rule_disabled, retracted. NULL: it is open.';
comment on column dashboard.alert.latitude        is 'Where the device was when it fired, degrees north. NULL: not known.';
comment on column dashboard.alert.longitude       is 'Degrees east. NULL: not known.';
comment on column dashboard.alert.user_id         is 'Wearer. NULL: not known.';
comment on column dashboard.alert.user_name       is 'Name of the wearer. NULL: not known.';
comment on column dashboard.alert.org_id          is 'Organisation unit. NULL: not known.';
comment on column dashboard.alert.org_name        is 'Its name. NULL: not known.';
comment on column dashboard.alert.customer_id     is 'Tenant. NULL: not known.';
comment on column dashboard.alert.peak_severity   is 'The gravest severity that it has had.';
comment on column dashboard.alert.cell            is 'The cell it is in: the database, where several share the tenants.';

-- A night belongs to the tenant of its last segment.
create or replace view dashboard.sleep_night with (security_barrier) as
select
    n.device_sn, n.night, n.start_ts, n.end_ts, n.sleeps, n.light_hours, n.deep_hours, n.unknown_hours, n.total_hours,
    n.user_id, n.org_id, n.customer_id, (select c.name from vitals.cell as c) as cell
from sleep_night as n
where (
        (select vitals.dashboard_tenants(current_user)) is null
        or n.customer_id = any ((select vitals.dashboard_tenants(current_user))::bigint[])
    )
    and (
        (select vitals.dashboard_units()) is null
        or n.org_id = any ((select vitals.dashboard_units())::bigint[])
    );

comment on view dashboard.sleep_night is 'Sleep, one row per device and local day on which a sleep ended, in the zone of the rollups.';
comment on column dashboard.sleep_night.device_sn     is 'Serial number of the device.';
comment on column dashboard.sleep_night.night         is 'Local day on which the sleep ended.';
comment on column dashboard.sleep_night.start_ts      is 'When the first sleep of the day began.';
comment on column dashboard.sleep_night.end_ts        is 'When the last one ended.';
comment on column dashboard.sleep_night.sleeps        is 'Sleeps that ended on the day: a night, perhaps naps.';
comment on column dashboard.sleep_night.light_hours   is 'Hours of light sleep.';
comment on column dashboard.sleep_night.deep_hours    is 'Hours of deep sleep.';
comment on column dashboard.sleep_night.unknown_hours is 'Hours of sleep of neither light nor deep type.';
comment on column dashboard.sleep_night.total_hours   is 'Hours of sleep: light + deep + unknown.';
comment on column dashboard.sleep_night.user_id       is 'Wearer. NULL: not known.';
comment on column dashboard.sleep_night.org_id        is 'Organisation unit. NULL: not known.';
comment on column dashboard.sleep_night.customer_id   is 'Tenant. NULL: not known.';
comment on column dashboard.sleep_night.cell          is 'The cell it is in: the database, where several share the tenants.';

-- The zone of the rollups, and the start of today and yesterday in it.
create or replace view dashboard.clock as
select
    r.time_zone,
    date_trunc('day', now(), r.time_zone) as today,
    date_trunc('day', now() at time zone r.time_zone - interval '1 day') at time zone r.time_zone as yesterday,
    (select c.name from vitals.cell as c) as cell
from vitals.rollup as r
where r.name = 'health_daily';

comment on view dashboard.clock is 'One row: when today and yesterday began in the zone of the rollups.';
comment on column dashboard.clock.time_zone is 'Zone in which days are cut (IANA name).';
comment on column dashboard.clock.today     is 'Start of today.';
comment on column dashboard.clock.yesterday is 'Start of yesterday.';
comment on column dashboard.clock.cell      is 'The cell this is: the database, where several share the tenants.';
