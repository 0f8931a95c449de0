-- batch.transaction_number
-- Purpose: the number and the start of the running transaction, for a batch that has only rejects and therefore no outbox row.
-- Locks: none.
select txid_current() as batch_id, now() as began_at
