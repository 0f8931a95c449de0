-- notification_route.replace
-- Purpose: replaces the columns of a route. Steps of alerts that are firing go on by the new ones.
-- Parameters: $1 number of the route, $2 its columns as JSON, all of them.
-- Locks: the row; the contact and the rule, against deletion.
with replaced as (
    update notification_route r
    set (
        customer_id, org_id, rule_id, min_severity, channel, audience, contact_id, after_seconds, repeat_seconds, repeat_times,
        on_acknowledged, on_resolved, merge_seconds, quiet_from, quiet_until, time_zone, enabled
    ) = (
        select
        n.customer_id, n.org_id, n.rule_id, n.min_severity, n.channel, n.audience, n.contact_id, n.after_seconds,
        n.repeat_seconds, n.repeat_times, n.on_acknowledged, n.on_resolved, n.merge_seconds, n.quiet_from, n.quiet_until,
        n.time_zone, n.enabled
        from jsonb_populate_record(null::notification_route, $2) as n
    )
    where r.route_id = $1
    returning *
)
select a.route_id, c.name as contact, to_jsonb(a) - 'route_id' as route
from replaced a
left join contact c on c.contact_id = a.contact_id
