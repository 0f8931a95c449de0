-- contact.list
-- Purpose: contacts and the channels by which they can be reached, as JSON. Addresses are left out.
-- Parameters: $1 only contacts of this tenant (NULL: any), $2 and of this organisation unit or its sub-units (NULL: any), $3 after which
-- number, $4 most rows.
-- Locks: none.
select jsonb_build_object(
    'contact_id', c.contact_id, 'name', c.name, 'user_id', c.user_id, 'language', c.language,
    'channels', array(
        select distinct a.channel from contact_address a where a.contact_id = c.contact_id and a.enabled order by a.channel
    )) as contact
from contact c
where c.contact_id > $3 and vitals.is_contact_within(c.contact_id, $1, $2)
order by c.contact_id
limit $4
