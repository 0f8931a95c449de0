-- alert_rule.try_out
-- Purpose: a rule as it would be kept, and why it is refused (NULL: it is not).
-- Parameters: $1 its columns, a JSON object.
-- Locks: none.
select to_jsonb(rule) as rule, coalesce(vitals.alert_rule_refusal_json(rule), 'null') as refusal
from jsonb_populate_record(null::alert_rule, vitals.alert_rule_defaults() || $1) as rule
