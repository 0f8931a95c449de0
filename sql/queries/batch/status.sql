-- batch.status
-- Purpose: whether a transaction was committed whose commit was not answered.
-- After a crash the server forgets transaction numbers that had not reached its disk, and assigns them once more. So a committed
-- number may belong to another transaction, and a number that is not assigned yet may be of a lost one. Therefore the accounting row
-- of the transaction decides. Both answers come from one snapshot: if the transaction commits at the same time, the snapshot has
-- either its accounting row or the information that it is still running. A number beyond the snapshot is either running or was
-- never assigned; the next number to be assigned tells which.
-- Parameters: $1 number of the transaction, $2 its start.
-- Locks: none.
select
    exists (select from vitals.ingest_batch where committed_at = $2::timestamptz and batch_id = $1::bigint) as is_committed,
    case
        when $1 < txid_snapshot_xmax(snapshot) then not txid_visible_in_snapshot($1, snapshot)
        else $1 < txid_current()
    end as is_running
from txid_current_snapshot() as snapshot
