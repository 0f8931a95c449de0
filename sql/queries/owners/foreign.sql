-- owners.foreign
-- Purpose: which of these ids belong to another tenant than they must. The caller asks about ids that an upload names and that the
-- directory does not give for its device.
-- Parameters, in pairs: $1 tenants (0: none) and $2 organisation units; $3 tenants and $4 wearers.
-- Result: a row per foreign id, in the column of its kind, with the tenant it must belong to.
-- Locks: none.
select given.customer_id, o.org_id, null::bigint as user_id
from unnest($1::bigint[], $2::bigint[]) as given (customer_id, org_id)
join org_unit o using (org_id)
where o.customer_id <> given.customer_id
union all
select given.customer_id, null, u.user_id
from unnest($3::bigint[], $4::bigint[]) as given (customer_id, user_id)
join app_user u using (user_id)
join org_unit o using (org_id)
where o.customer_id <> given.customer_id
