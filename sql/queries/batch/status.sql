-- batch.status
-- Purpose: whether a transaction whose commit was not answered took place.
-- Parameters: $1 number of the transaction.
-- Locks: none.
select txid_status($1::bigint)
