-- contact.own
-- Purpose: the contacts that belong to one tenant and to no other: all of their units, shifts, users and routes are of that tenant. Whoever administers the
-- tenant may change their addresses. A contact without any of these belongs to nobody.
-- Parameters: $1 tenant.
-- Locks: none.
with belongs as (
    select g.contact_id, o.customer_id
    from org_manager as g
    join org_unit as o on o.org_id = g.org_id
    union all
    select s.contact_id, coalesce(s.customer_id, o.customer_id)
    from shift as s
    left join org_unit as o on o.org_id = s.org_id
    where s.kind = 'duty'
    union all
    select c.contact_id, o.customer_id
    from contact as c
    join app_user as u on u.user_id = c.user_id
    left join org_unit as o on o.org_id = u.org_id
    union all
    -- A route for everybody notifies of alerts of every tenant.
    select r.contact_id, coalesce(r.customer_id, o.customer_id)
    from notification_route as r
    left join org_unit as o on o.org_id = r.org_id
    where r.contact_id is not null
)
select contact_id
from belongs
group by contact_id
having bool_and(customer_id is not distinct from $1)
