-- dashboards.alerts_by_status
-- Purpose: how many alerts fired in a time, by where they are in their life.
-- Parameters: from, to (event time, its end exclusive).
-- Reads: alert.
-- Cost: with the alerts of the time, found by index.
select status, count(*) as alerts
from dashboard.alert
where fired_ts >= :'from'::timestamptz and fired_ts < :'to'::timestamptz
group by status
order by alerts desc, status
