-- wall.open_alerts
-- Purpose: open alerts for a wall, with the bounds of their level: the gravest first, of these the ones that nobody has taken on, of these
-- the newest; how many there are, and when they were read. One row.
-- Parameters: $1 most alerts.
-- Reads: view dashboard.alert, which shows the alerts of the tenant and the unit of the transaction; the tables for what the view leaves out.
-- Locks: none. Cost: grows with the open alerts, which an index finds.
with seen as materialized (
    select
        alert_id, status, fired_ts,
        array_position(array['critical', 'major', 'minor', 'info'], severity::text) as rank
    from dashboard.alert
    where status in ('firing', 'acknowledged')
), shown as (
    select row_number() over (order by rank, status = 'acknowledged', fired_ts desc, alert_id desc) as place, alert_id
    from seen
    order by place
    limit $1
)
select
    now() as as_of,
    (select count(*) from seen) as total,
    coalesce(
        (
            select
                jsonb_agg(
                    jsonb_build_object(
                        'alert', to_jsonb(alert) || jsonb_build_object(
                            'user_name', app_user.name, 'org_name', org_unit.name, 'room', app_user.room, 'rule_name', alert_rule.name,
                            'assigned_name', contact.name
                        ),
                        'min_value', level.bounds -> 'min',
                        'max_value', level.bounds -> 'max'
                    )
                    order by shown.place
                )
            from shown
            join alert using (alert_id)
            join alert_rule using (rule_id)
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
        ),
        '[]'
    ) as shown
