-- alert_rule.remove
-- Purpose: deletes a rule that never raised an alert and that no other rule replaces, with its silences and its routes.
-- Parameters: $1 number of the rule.
-- Locks: the rows.
delete from alert_rule where rule_id = $1
