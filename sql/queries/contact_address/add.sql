-- contact_address.add
-- Purpose: adds an address of a contact.
-- Parameters: $1 contact, $2 channel, $3 address, $4 secret (NULL: none), $5 whether it is used.
-- Locks: the contact, against deletion.
with added as (
    insert into contact_address (contact_id, channel, address, secret, enabled)
    values ($1, $2, $3, $4, $5)
    returning *
)
select a.address_id, a.contact_id, c.name as contact, a.channel, a.address, a.secret is not null as has_secret, a.enabled,
    a.tested_at, a.tested_by, a.test_error
from added a
join contact c on c.contact_id = a.contact_id
