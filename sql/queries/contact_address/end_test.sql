-- contact_address.end_test
-- Purpose: records what became of a test.
-- Parameters: $1 number of the address, $2 why the message was not delivered (NULL: it was).
-- Result: no row: the address was removed or changed meanwhile.
-- Locks: the row.
update contact_address
set test_error = $2
where address_id = $1 and tested_at is not null
returning tested_at, tested_by, test_error
