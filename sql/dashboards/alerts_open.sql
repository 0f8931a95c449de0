-- dashboards.alerts_open
-- Purpose: alerts that are not resolved, the most severe first, then the newest.
-- Parameters: none.
-- Reads: alert.
-- Cost: grows with the open alerts.
select
    severity, status, fired_ts, last_ts, device_sn, user_name, org_name, rule_name, message, breach_count, acknowledged_by,
    alert_id
from dashboard.alert
where status <> 'resolved'
order by array_position(array['critical', 'major', 'minor', 'info'], severity), fired_ts desc, alert_id desc
limit 500
