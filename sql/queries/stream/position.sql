-- stream.position
-- Purpose: where the transaction that reads stands: which transactions it sees, and when it began.
-- Locks: none.
select vitals.database_origin() as origin, txid_current_snapshot()::text as snapshot, now() as read_at
