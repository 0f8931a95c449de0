-- alert_rule.act_as
-- Purpose: sets the name under which the running transaction records its changes.
-- Parameters: $1 the name.
-- Locks: none.
select set_config('vitals.actor', $1, true)
