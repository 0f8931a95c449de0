-- alert_rule.versions
-- Purpose: every version of a rule, newest first, as JSON. The rule may be deleted.
-- Parameters: $1 number of the rule.
-- Locks: none.
select rule from alert_rule_version where rule_id = $1 order by version desc
