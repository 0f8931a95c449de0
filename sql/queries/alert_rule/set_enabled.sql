-- alert_rule.set_enabled
-- Purpose: enables or disables a rule.
-- Parameters: $1 number of the rule, $2 whether it is enabled.
-- Locks: the rule.
update alert_rule set enabled = $2 where rule_id = $1 returning to_jsonb(alert_rule) as rule
