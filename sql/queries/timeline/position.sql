-- timeline.position
-- Purpose: which history of which database this is, and how far: the next number of a transaction, which only rises within one.
-- Locks: none.
select vitals.database_origin() as origin, txid_snapshot_xmax(txid_current_snapshot()) as position
