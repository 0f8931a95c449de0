-- dashboard.overview
-- Purpose: what a wall shows of devices and people now: how many there are and are online (a sample within the last quarter hour), people
-- by organisation unit, batteries, wear, positions, and which devices sent the newest samples. One row.
-- Parameters: $1 most positions, $2 most devices with the newest samples.
-- Locks: none. Cost: one look-up by key per device.
with latest as materialized (
    select
        device_sn, ts, user_id, user_name, org_id, org_name, latitude, longitude,
        ts > now() - interval '15 minutes' as online
    from dashboard.latest
), device as materialized (
    select device_sn, user_id, org_id, org_name, battery_level, charging_status, wear_state from dashboard.device
), open_alert as materialized (
    select
        a.device_sn,
        (array['critical', 'major', 'minor', 'info'])[min(array_position(array['critical', 'major', 'minor', 'info'], a.severity))]
            as severity
    from dashboard.alert as a
    where a.status <> 'resolved'
    group by a.device_sn
), unit as (
    select
        d.org_id, min(d.org_name) as org_name, count(distinct d.user_id) as people,
        count(distinct d.user_id) filter (where l.online and l.user_id = d.user_id) as online
    from device as d
    left join latest as l using (device_sn)
    where d.user_id is not null
    group by d.org_id
), position as (
    select l.device_sn, l.ts, l.latitude, l.longitude, l.user_id, l.user_name, l.org_id, l.org_name, l.online, o.severity
    from latest as l
    left join open_alert as o using (device_sn)
    where l.latitude is not null and l.longitude is not null and l.ts > now() - interval '1 day'
    order by l.ts desc, l.device_sn
    limit $1::bigint
), battery as (
    select
        least(battery_level / 10 * 10, 90) as from_percent, count(*) as devices,
        count(*) filter (where charging_status = 'CHARGING') as charging
    from device
    where battery_level is not null
    group by 1
)
select
    now() as as_of,
    (select c.time_zone from dashboard.clock as c) as time_zone,
    (select count(*) from device) as devices,
    (select count(*) from latest where online) as devices_online,
    coalesce((select jsonb_agg(to_jsonb(u) order by u.org_name collate dashboard.by_name nulls last, u.org_id) from unit as u), '[]') as units,
    coalesce((select jsonb_agg(to_jsonb(p) order by p.ts desc, p.device_sn) from position as p), '[]') as positions,
    coalesce((select jsonb_agg(to_jsonb(b) order by b.from_percent) from battery as b), '[]') as batteries,
    (
        select jsonb_build_object(
            'worn', count(*) filter (where wear_state = '1'),
            'not_worn', count(*) filter (where wear_state = '0'),
            'unknown', count(*) filter (where wear_state is null or wear_state not in ('0', '1'))
        )
        from device
    ) as wear,
    array(select l.device_sn from latest as l order by l.ts desc, l.device_sn limit $2::bigint) as newest
