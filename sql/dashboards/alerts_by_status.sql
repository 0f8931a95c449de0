-- dashboards.alerts_by_status
-- Purpose: alerts that fired between two times, by status.
-- Parameters: from, to (event time; to is exclusive).
-- Reads: alert.
-- Cost: grows with the alerts in that time, which an index finds.
select status, count(*) as alerts
from dashboard.alert
where fired_ts >= :'from'::timestamptz and fired_ts < :'to'::timestamptz
group by status
order by alerts desc, status
