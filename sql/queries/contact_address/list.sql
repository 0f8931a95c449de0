-- contact_address.list
-- Purpose: addresses of contacts, in the order of their numbers.
-- Parameters, NULL for "any": $1 contact, $2 tenant of the contact; $3 after which number, $4 most rows.
-- Locks: none.
select a.address_id, a.contact_id, c.name as contact, a.channel, a.address, a.secret is not null as has_secret, a.enabled,
    a.tested_at, a.tested_by, a.test_error
from contact_address a
join contact c on c.contact_id = a.contact_id
where a.address_id > $3
  and ($1::bigint is null or a.contact_id = $1)
  and vitals.is_contact_within(a.contact_id, $2, null)
order by a.address_id
limit $4
