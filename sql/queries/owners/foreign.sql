-- owners.foreign
-- Purpose: what of these is of another tenant than it has to be. Asked for what an upload names and the directory does not give
-- its device.
-- Parameters, pair by pair: $1 tenants (0: of none) and $2 organisation units; $3 tenants and $4 wearers.
-- Result: a row for each that is, with the tenant it had to be of, in the column of its kind.
-- Locks: none.
select asked.customer_id, o.org_id, null::bigint as user_id
from unnest($1::bigint[], $2::bigint[]) as asked (customer_id, org_id)
join org_unit o using (org_id)
where o.customer_id <> asked.customer_id
union all
select asked.customer_id, null, u.user_id
from unnest($3::bigint[], $4::bigint[]) as asked (customer_id, user_id)
join app_user u using (user_id)
join org_unit o using (org_id)
where o.customer_id <> asked.customer_id
