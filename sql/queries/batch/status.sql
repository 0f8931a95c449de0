-- batch.status
-- Purpose: whether a transaction whose commit was not answered took place.
-- A crash of the server forgets numbers that had not reached its disk, and gives them again: a number that is committed may be
-- another transaction's, and one that is still to be given was lost. So what counts is the account of the transaction. Both
-- answers are of one snapshot: of a transaction that commits meanwhile either the account is seen, or that it is running.
-- A number beyond the snapshot was given and has not ended, or was never given, which is told by the number given now.
-- Parameters: $1 number of the transaction, $2 when it began.
-- Locks: none.
select
    exists (select from vitals.ingest_batch where committed_at = $2::timestamptz and batch_id = $1::bigint) as is_committed,
    case
        when $1 < txid_snapshot_xmax(snapshot) then not txid_visible_in_snapshot($1, snapshot)
        else $1 < txid_current()
    end as is_running
from txid_current_snapshot() as snapshot
