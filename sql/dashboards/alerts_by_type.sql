-- dashboards.alerts_by_type
-- Purpose: how many alerts fired in a time, by what they are about (the type of the event, the vital sign).
-- Parameters: from, to (event time, its end exclusive).
-- Reads: alert.
-- Cost: with the alerts of the time, found by index.
select type, count(*) as alerts
from dashboard.alert
where fired_ts >= :'from'::timestamptz and fired_ts < :'to'::timestamptz
group by type
order by alerts desc, type
