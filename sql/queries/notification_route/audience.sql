-- notification_route.audience
-- Purpose: the addresses to which a route leads, if the least severe alert that matches it fires now. An address of several contacts is there once.
-- Parameters: $1 number of the route, $2 person whose alert it is (NULL: nobody's), $3 most rows.
-- Result: no row: the route notifies nobody now, or is switched off.
-- Locks: none.
with imagined as (
    select row(
        0, r.rule_id,
        case when p.user_id is null then coalesce(r.customer_id, own.customer_id) else p.customer_id end,
        case when p.user_id is null then r.org_id else p.org_id end,
        p.user_id, r.min_severity, 'firing', null, clock_timestamp()
    )::vitals.alert_subject as subject
    from notification_route as r
    left join org_unit as own on own.org_id = r.org_id
    left join (
        select u.user_id, u.org_id, o.customer_id
        from app_user as u
        left join org_unit as o on o.org_id = u.org_id
    ) as p on p.user_id = $2
    where r.route_id = $1
), reached as (
    select distinct on (a.channel, a.address) a.address_id, a.contact_id, c.name as contact, a.channel, a.address
    from imagined as i
    cross join lateral vitals.audience_of_subjects(array[i.subject]) as t
    join contact_address as a on a.contact_id = t.contact_id and a.channel = t.channel and a.address = t.address and a.enabled
    join contact as c on c.contact_id = a.contact_id
    where t.route_id = $1
    order by a.channel, a.address, a.address_id
)
select address_id, contact_id, contact, channel, address
from reached
order by address_id
limit $3
