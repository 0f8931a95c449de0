-- alert_rule.remove
-- Purpose: deletes a rule that never raised an alert, with its silences, its routes and the rules that replace it.
-- Parameters: $1 number of the rule.
-- Locks: the rows.
delete from alert_rule where rule_id = $1
