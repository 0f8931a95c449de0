-- dashboard.device
-- Purpose: a page of devices by serial, with the time of the newest sample and the open alerts.
-- Parameters, NULL for "any": $1 part of the serial or of the name of the wearer, in any case; $2 organisation unit, with its sub-units;
-- $3 state (online, offline, alerting); $4 serial; $5 person who wears it now; $6 last serial of the previous page (NULL: begin with the
-- first), $7 most rows (NULL: all).
-- Locks: none.
with open_alert as materialized (
    select
        a.device_sn, count(*) as alerts,
        (array['critical', 'major', 'minor', 'info'])[min(array_position(array['critical', 'major', 'minor', 'info'], a.severity))]
            as severity
    from dashboard.alert as a
    where a.status <> 'resolved'
    group by a.device_sn
)
select
    device.*, newest.ts as last_ts, coalesce(newest.ts > now() - interval '15 minutes', false) as online,
    coalesce(open_alert.alerts, 0) as open_alerts, open_alert.severity
from (
    select d.*, p.room
    from dashboard.device as d
    left join dashboard.person as p on p.user_id = d.user_id
    where ($4::text is null or d.device_sn = $4)
        and ($1::text is null or strpos(lower(d.device_sn), lower($1)) > 0 or strpos(lower(d.user_name), lower($1)) > 0)
        and (
            $2::bigint is null or d.org_id = $2
            or d.org_id in (select g.org_id from dashboard.org_unit as g where $2 = any (g.ancestors))
        )
        and ($5::bigint is null or d.user_id = $5)
        and ($6::text is null or d.device_sn > $6)
    order by d.device_sn
    offset 0
) as device
left join open_alert on open_alert.device_sn = device.device_sn
left join lateral (
    select l.ts from dashboard.latest as l where l.device_sn = device.device_sn offset 0
) as newest on true
where case $3::text
        when 'online' then newest.ts > now() - interval '15 minutes'
        when 'offline' then newest.ts is null or newest.ts <= now() - interval '15 minutes'
        when 'alerting' then open_alert.alerts > 0
        else true
    end
order by device.device_sn
limit $7::bigint
