-- An index on the rule of an alert: resolving, replaying or deleting a rule otherwise reads every alert there ever was.
-- Locks: alert, against writes, while the index is made.

create index alert_rule_id_idx on alert (rule_id);
