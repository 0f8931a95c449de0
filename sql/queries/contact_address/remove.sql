-- contact_address.remove
-- Purpose: removes an address. A notification that waits for it is cancelled when it is due.
-- Parameters: $1 number of the address.
-- Locks: the row.
delete from contact_address where address_id = $1 returning address_id
