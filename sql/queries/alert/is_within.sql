-- alert.is_within
-- Purpose: whether an alert is of a tenant, and of an organisation unit or one of its sub-units. No such alert: false.
-- Parameters, NULL for "any": $1 number of the alert, $2 tenant, $3 organisation unit.
-- Locks: none.
select exists (
    select from alert
    where alert_id = $1::bigint
      and ($2::bigint is null or customer_id = $2::bigint)
      and ($3::bigint is null or org_id = $3::bigint
          or org_id in (select org_id from org_unit where $3::bigint = any (ancestors)))
) as is_within
