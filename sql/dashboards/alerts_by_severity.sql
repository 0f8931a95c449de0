-- dashboards.alerts_by_severity
-- Purpose: alerts that fired between two times, by severity.
-- Parameters: from, to (event time; to is exclusive).
-- Reads: alert.
-- Cost: grows with the alerts in that time, which an index finds.
select severity, count(*) as alerts
from dashboard.alert
where fired_ts >= :'from'::timestamptz and fired_ts < :'to'::timestamptz
group by severity
order by alerts desc, severity
