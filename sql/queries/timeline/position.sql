-- timeline.position
-- Purpose: identifies the database and its history, and the position in it: the next transaction number, which only rises within one
-- history.
-- Locks: none.
select vitals.database_origin() as origin, txid_snapshot_xmax(txid_current_snapshot()) as position
