-- alert_rule.set_enabled
-- Purpose: switches a rule on or off.
-- Parameters: $1 number of the rule, $2 on.
-- Locks: the rule.
update alert_rule set enabled = $2 where rule_id = $1 returning to_jsonb(alert_rule) as rule
