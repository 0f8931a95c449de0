-- alert_rule.versions
-- Purpose: all versions of a rule, newest first, as JSON. The rule itself may have been deleted.
-- Parameters: $1 number of the rule.
-- Locks: none.
select rule from alert_rule_version where rule_id = $1 order by version desc
