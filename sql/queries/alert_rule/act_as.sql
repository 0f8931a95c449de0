-- alert_rule.act_as
-- Purpose: says who makes the changes of the running transaction.
-- Parameters: $1 who.
-- Locks: none.
select set_config('vitals.actor', $1, true)
