-- stream.alerts
-- Purpose: alerts as they are now, as JSON, with the tenant and the units that see them: their own unit and those above it.
--   $1 their numbers
-- Locks: none.
select
    a.alert_id, a.status, a.severity, b.assigned_to, b.fired_at, b.updated_at, a.customer_id,
    array_remove(coalesce(u.ancestors, '{}') || a.org_id, null) as org_ids,
    jsonb_strip_nulls(jsonb_build_object(
        'alert_id', a.alert_id::text, 'device_sn', a.device_sn, 'rule_name', a.rule_name, 'kind', a.kind, 'severity', a.severity,
        'type', a.type, 'status', a.status, 'historical', a.historical, 'fired_at', a.fired_at, 'last_value', a.last_value,
        'breach_count', a.breach_count, 'message', a.message, 'acknowledged_at', a.acknowledged_at,
        'acknowledged_by', a.acknowledged_by, 'assigned_to', b.assigned_to::text, 'resolved_at', a.resolved_at,
        'resolution', a.resolution, 'user_id', a.user_id::text, 'user_name', a.user_name, 'org_id', a.org_id::text,
        'org_name', a.org_name, 'customer_id', a.customer_id::text
    )) as row
from dashboard.alert as a
join alert as b on b.alert_id = a.alert_id
left join org_unit as u on u.org_id = a.org_id
where a.alert_id = any ($1)
order by b.updated_at, a.alert_id
