-- dashboards.alerts_daily
-- Purpose: how many alerts fired in each day of a time, by level; a day without any is 0.
-- Parameters: from, to (event time, its end exclusive). Days are those of the rollups' zone.
-- Reads: alert.
-- Cost: with the alerts of the time, found by index.
select
    begins.local at time zone clock.time_zone              as time,
    begins.local::date                                     as day,
    count(a.alert_id) filter (where a.severity = 'critical') as critical,
    count(a.alert_id) filter (where a.severity = 'major')    as major,
    count(a.alert_id) filter (where a.severity = 'minor')    as minor,
    count(a.alert_id) filter (where a.severity = 'info')     as info
from dashboard.clock
cross join lateral generate_series(
    date_trunc('day', :'from'::timestamptz at time zone clock.time_zone),
    :'to'::timestamptz at time zone clock.time_zone - interval '1 microsecond',
    interval '1 day'
) as begins (local)
left join (
    select alert_id, severity, fired_ts
    from dashboard.alert
    where fired_ts >= :'from'::timestamptz and fired_ts < :'to'::timestamptz
) as a on date_trunc('day', a.fired_ts at time zone clock.time_zone) = begins.local
group by 1, 2
order by 1
