-- alert_rule.try_out
-- Purpose: a rule as it would be stored, and why it would be refused (NULL: it would not).
-- Parameters: $1 its columns, a JSON object.
-- Locks: none.
select to_jsonb(rule) as rule, coalesce(vitals.alert_rule_refusal_json(rule), 'null') as refusal
from jsonb_populate_record(null::alert_rule, vitals.alert_rule_defaults() || $1) as rule
