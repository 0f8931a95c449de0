-- alert_rule.in_force
-- Purpose: the rules that hold for a wearer with a device: those of each scope, without those that a narrower rule replaces. Also those
-- that are switched off.
-- Parameters, NULL for "not known": $1 tenant, $2 organisation unit, $3 wearer, $4 device.
-- Locks: none.
select to_jsonb(rule) as rule
from alert_rule rule
cross join (select vitals.row_scopes($1::bigint, $2::bigint, $3::bigint, $4::text) as names) as scopes
where vitals.rule_applies(
    vitals.rule_scope(rule.customer_id, rule.org_id, rule.user_id, rule.device_sn),
    coalesce(rule.replaces_rule_id, rule.rule_id),
    scopes.names
)
order by rule.metric nulls last, rule.rule_id
