-- dashboards.alerts_by_type
-- Purpose: alerts that fired between two times, by subject (the type of the event, the vital sign).
-- Parameters: from, to (event time; to is exclusive).
-- Reads: alert.
-- Cost: grows with the alerts in that time, which an index finds.
select type, count(*) as alerts
from dashboard.alert
where fired_ts >= :'from'::timestamptz and fired_ts < :'to'::timestamptz
group by type
order by alerts desc, type
