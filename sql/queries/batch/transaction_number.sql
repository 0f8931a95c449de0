-- batch.transaction_number
-- Purpose: the number of the running transaction, for a batch of rejects alone, which has no outbox row.
-- Locks: none.
select txid_current()
