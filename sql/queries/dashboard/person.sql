-- dashboard.person
-- Purpose: a page of people by name, with the devices that they wear now, the newest sample of these and the open alerts.
-- Parameters, NULL for "any": $1 part of the name or the room, in any case, or the number; $2 organisation unit, with its sub-units;
-- $3 state (online, offline, alerting); $4 number of the person; $5 and $6 name ('' if there is none) and number of the last person of the
-- previous page (NULL: begin with the first), $7 most rows (NULL: all).
-- Locks: none.
with open_alert as materialized (
    select
        a.user_id, count(*) as alerts,
        (array['critical', 'major', 'minor', 'info'])[min(array_position(array['critical', 'major', 'minor', 'info'], a.severity))]
            as severity
    from dashboard.alert as a
    where a.status <> 'resolved' and a.user_id is not null
    group by a.user_id
)
select
    person.user_id, person.name, person.room, person.org_id, person.org_name, person.customer_id, person.customer_name,
    worn.devices, worn.device_sn, worn.last_ts, coalesce(worn.last_ts > now() - interval '15 minutes', false) as online,
    worn.wear_state, worn.battery_level, coalesce(open_alert.alerts, 0) as open_alerts, open_alert.severity
from (
    select p.*
    from dashboard.person as p
    where ($4::bigint is null or p.user_id = $4)
        and (
            $1::text is null
            or strpos(lower(p.name), lower($1)) > 0 or strpos(lower(p.room), lower($1)) > 0 or p.user_id::text = $1
        )
        and (
            $2::bigint is null or p.org_id = $2
            or p.org_id in (select g.org_id from dashboard.org_unit as g where $2 = any (g.ancestors))
        )
        and ($5::text is null or (coalesce(p.name, '') collate dashboard.by_name, p.user_id) > ($5, $6::bigint))
    order by coalesce(p.name, '') collate dashboard.by_name, p.user_id
    offset 0
) as person
left join open_alert on open_alert.user_id = person.user_id
cross join lateral (
    select
        count(*) as devices, max(newest.ts) as last_ts,
        (array_agg(b.device_sn order by newest.ts desc nulls last, b.device_sn))[1]     as device_sn,
        (array_agg(d.wear_state order by newest.ts desc nulls last, b.device_sn))[1]    as wear_state,
        (array_agg(d.battery_level order by newest.ts desc nulls last, b.device_sn))[1] as battery_level
    from dashboard.device_binding as b
    left join lateral (
        select d.wear_state, d.battery_level from dashboard.device as d where d.device_sn = b.device_sn offset 0
    ) as d on true
    left join lateral (
        select l.ts
        from dashboard.latest as l
        where l.device_sn = b.device_sn and (b.valid_from is null or l.ts >= b.valid_from)
        offset 0
    ) as newest on true
    where b.user_id = person.user_id
        and (b.valid_from is null or b.valid_from <= now()) and (b.valid_until is null or b.valid_until > now())
) as worn
where case $3::text
        when 'online' then worn.last_ts > now() - interval '15 minutes'
        when 'offline' then worn.last_ts is null or worn.last_ts <= now() - interval '15 minutes'
        when 'alerting' then open_alert.alerts > 0
        else true
    end
order by coalesce(person.name, '') collate dashboard.by_name, person.user_id
limit $7::bigint
