-- notification_route.list
-- Purpose: routes as JSON, in the order of their numbers.
-- Parameters, NULL for "any": $1 tenant, $2 organisation unit, $3 number of the route; $4 most rows.
-- Locks: none.
select r.route_id, c.name as contact, to_jsonb(r) - 'route_id' as route
from notification_route r
left join contact c on c.contact_id = r.contact_id
where ($1::bigint is null or r.customer_id = $1)
  and ($2::bigint is null or r.org_id = $2)
  and ($3::bigint is null or r.route_id = $3)
order by r.route_id
limit $4
