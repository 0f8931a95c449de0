-- batch.status
-- Purpose: whether a transaction whose commit was not answered took place.
-- A crash of the server forgets numbers that had not reached its disk, and gives them again: a number that is committed may be
-- another transaction's, and one that is still to be given was lost. So what counts is the account of the transaction.
-- Parameters: $1 number of the transaction, $2 when it began.
-- Locks: none.
select
    exists (select from vitals.ingest_batch where committed_at = $2::timestamptz and batch_id = $1::bigint) as is_committed,
    case when $1 < txid_snapshot_xmax(txid_current_snapshot()) then txid_status($1) end is not distinct from 'in progress' as is_running
