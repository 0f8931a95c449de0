-- contact_address.change
-- Purpose: changes columns of an address. A notification that waits for the former address is cancelled when it is due. What is known of a test goes with it.
-- Parameters: $1 number of the address, $2 address (NULL: stays), $3 whether the secret changes, $4 to which (NULL: none), $5 whether it
-- is used (NULL: stays).
-- Locks: the row.
with changed as (
    update contact_address a
    set address = coalesce($2, a.address),
        secret = case when $3::boolean then $4 else a.secret end,
        enabled = coalesce($5, a.enabled),
        tested_at = case when $2 is null and not $3::boolean then a.tested_at end,
        tested_by = case when $2 is null and not $3::boolean then a.tested_by end,
        test_error = case when $2 is null and not $3::boolean then a.test_error end
    where a.address_id = $1
    returning *
)
select a.address_id, a.contact_id, c.name as contact, a.channel, a.address, a.secret is not null as has_secret, a.enabled,
    a.tested_at, a.tested_by, a.test_error
from changed a
join contact c on c.contact_id = a.contact_id
