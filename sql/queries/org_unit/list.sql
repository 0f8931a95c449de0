-- org_unit.list
-- Purpose: the organisation units that have a name, in the order of their names: what a page offers to choose from.
-- Parameters, NULL for "any": $1 tenant, $2 organisation unit (with its sub-units). $3 most rows.
-- Locks: none.
select org_id, name
from org_unit
where name is not null
  and ($1::bigint is null or customer_id = $1)
  and ($2::bigint is null or org_id = $2 or $2 = any (ancestors))
order by name, org_id
limit $3
