-- dashboards.alerts_by_severity
-- Purpose: alerts that fired between two times, by the gravest severity that they had.
-- Parameters: from, to (event time; to is exclusive).
-- Reads: alert.
-- Cost: grows with the alerts in that time, which an index finds.
select peak_severity as severity, count(*) as alerts
from dashboard.alert
where fired_ts >= :'from'::timestamptz and fired_ts < :'to'::timestamptz
group by peak_severity
order by alerts desc, severity
