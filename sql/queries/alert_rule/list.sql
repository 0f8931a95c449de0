-- alert_rule.list
-- Purpose: the rules that match, in the order of their numbers, as JSON.
-- Parameters, NULL for "any": $1 numbers, $2 tenant (0: rules for all tenants), $3 kinds, $4 enabled.
-- Locks: none.
select to_jsonb(rule) as rule
from alert_rule rule
where ($1::bigint[] is null or rule_id = any ($1))
  and ($2::bigint is null or coalesce(customer_id, 0) = $2)
  and ($3::text[] is null or kind = any ($3))
  and ($4::boolean is null or enabled = $4)
order by rule_id
