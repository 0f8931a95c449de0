-- dashboards.alerts_hourly
-- Purpose: alerts that fired in each hour between two times, by the gravest severity that they had. An hour without alerts has zeros.
-- Parameters: from, to (event time; to is exclusive). Days are cut in the zone of the rollups.
-- Reads: alert.
-- Cost: grows with the alerts in that time, which an index finds.
select
    bucket.local at time zone clock.time_zone              as time,
    count(a.alert_id) filter (where a.peak_severity = 'critical') as critical,
    count(a.alert_id) filter (where a.peak_severity = 'major')    as major,
    count(a.alert_id) filter (where a.peak_severity = 'minor')    as minor,
    count(a.alert_id) filter (where a.peak_severity = 'info')     as info
from dashboard.clock
cross join lateral generate_series(
    date_trunc('hour', :'from'::timestamptz at time zone clock.time_zone),
    :'to'::timestamptz at time zone clock.time_zone - interval '1 microsecond',
    interval '1 hour'
) as bucket (local)
left join (
    select alert_id, peak_severity, fired_ts
    from dashboard.alert
    where fired_ts >= :'from'::timestamptz and fired_ts < :'to'::timestamptz
) as a on date_trunc('hour', a.fired_ts at time zone clock.time_zone) = bucket.local
group by 1
order by 1
