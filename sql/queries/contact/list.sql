-- contact.list
-- Purpose: contacts and the channels by which they can be reached, as JSON. Addresses are left out.
-- Parameters: $1 only contacts of this tenant (NULL: any), $2 after which number, $3 most rows.
-- Locks: none.
select jsonb_build_object(
    'contact_id', c.contact_id, 'name', c.name, 'user_id', c.user_id, 'language', c.language,
    'channels', array(
        select distinct a.channel from contact_address a where a.contact_id = c.contact_id and a.enabled order by a.channel
    )) as contact
from contact c
where c.contact_id > $2 and ($1::bigint is null or vitals.is_contact_of_tenant(c.contact_id, $1))
order by c.contact_id
limit $3
