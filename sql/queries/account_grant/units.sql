-- account_grant.units
-- Purpose: number and name of the units of a tenant, or of one unit and its sub-units, in the order of their names; a unit without a name has its number.
-- Parameters: $1 tenant, $2 unit (NULL: the whole tenant).
-- Locks: none.
select org_id, coalesce(nullif(name, ''), org_id::text) as name
from org_unit
where customer_id = $1 and ($2::bigint is null or org_id = $2 or $2 = any (ancestors))
order by 2, org_id
