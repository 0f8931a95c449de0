-- alert_rule.list
-- Purpose: the rules that match, in the order of their numbers, as JSON.
-- Parameters, NULL for "any": $1 numbers, $2 tenant (0: rules for everybody), $3 kinds, $4 enabled, $5 organisation unit, $6 wearer,
-- $7 device, $8 tenant of whoever reads: rules for everybody, and those that hold within the tenant.
-- Locks: none.
select to_jsonb(rule) as rule
from alert_rule rule
where ($1::bigint[] is null or rule_id = any ($1))
  and ($2::bigint is null or customer_id = $2 or $2 = 0 and num_nonnulls(customer_id, org_id, user_id, device_sn) = 0)
  and ($3::text[] is null or kind = any ($3))
  and ($4::boolean is null or enabled = $4)
  and ($5::bigint is null or org_id = $5)
  and ($6::bigint is null or user_id = $6)
  and ($7::text is null or device_sn = $7)
  and (
      $8::bigint is null or num_nonnulls(customer_id, org_id, user_id, device_sn) = 0
      or vitals.tenant_of_rule(customer_id, org_id, user_id, device_sn) = $8
  )
order by rule_id
