-- dashboards.alerts_by_severity
-- Purpose: how many alerts fired in a time, by level.
-- Parameters: from, to (event time, its end exclusive).
-- Reads: alert.
-- Cost: with the alerts of the time, found by index.
select severity, count(*) as alerts
from dashboard.alert
where fired_ts >= :'from'::timestamptz and fired_ts < :'to'::timestamptz
group by severity
order by alerts desc, severity
