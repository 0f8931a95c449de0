-- stream.alerts
-- Purpose: alerts as they are now, with the units above their own.
--   $1 their numbers
-- Locks: none.
select
    a.alert_id, a.device_sn, a.rule_name, a.kind, a.severity, a.type, a.status, a.historical, a.fired_at, a.last_value::float8 as last_value,
    a.breach_count, a.message, a.acknowledged_at, a.acknowledged_by, a.resolved_at, a.resolution, a.user_id, a.user_name, a.org_id,
    a.org_name, a.customer_id, b.assigned_to, b.updated_at, coalesce(u.ancestors, '{}') as ancestors
from dashboard.alert as a
join alert as b on b.alert_id = a.alert_id
left join org_unit as u on u.org_id = a.org_id
where a.alert_id = any ($1)
order by b.updated_at, a.alert_id
