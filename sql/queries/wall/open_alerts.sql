-- wall.open_alerts
-- Purpose: open alerts for a wall, with the bounds of their level: the gravest first, of these the ones that nobody has taken on, of these
-- the newest.
-- Parameters: $1 most rows.
-- Reads: view dashboard.alert, which shows the alerts of the tenant and the unit of the transaction; the tables for what the view leaves out.
-- Locks: none.
select
    to_jsonb(alert) || jsonb_build_object(
        'user_name', app_user.name, 'org_name', org_unit.name, 'room', app_user.room, 'rule_name', alert_rule.name,
        'assigned_name', contact.name) as alert,
    (level.bounds ->> 'min')::float8 as min_value,
    (level.bounds ->> 'max')::float8 as max_value
from dashboard.alert as seen
join alert on alert.alert_id = seen.alert_id
join alert_rule on alert_rule.rule_id = alert.rule_id
left join app_user on app_user.user_id = alert.user_id
left join org_unit on org_unit.org_id = alert.org_id
left join contact on contact.contact_id = alert.assigned_to
left join alert_rule_version as version on version.rule_id = alert.rule_id and version.version = alert.rule_version
cross join lateral (
    select coalesce(
        (
            select l.bounds
            from jsonb_array_elements(
                case jsonb_typeof(version.rule -> 'levels') when 'array' then version.rule -> 'levels' else '[]' end
            ) as l (bounds)
            where l.bounds ->> 'severity' = alert.severity
        ),
        jsonb_build_object('min', version.rule -> 'min_value', 'max', version.rule -> 'max_value')
    ) as bounds
) as level
where seen.status in ('firing', 'acknowledged')
order by
    array_position(array['critical', 'major', 'minor', 'info'], seen.severity::text),
    seen.status = 'acknowledged',
    seen.fired_ts desc,
    seen.alert_id desc
limit $1
