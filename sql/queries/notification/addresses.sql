-- notification.addresses
-- The addresses in use of the contacts of a name, with the language of the contact.
--   $1 name
-- Locks: none.
select ca.channel, ca.address, ca.secret, c.language
from contact c
join contact_address ca on ca.contact_id = c.contact_id and ca.enabled
where c.name = $1
order by ca.channel, ca.address
