-- erasure.receipt
-- Purpose: the receipt of an erasure.
-- Parameters: $1 number of the erasure.
-- Locks: none.
select erasure_id, kind, receipt_number::text, asked_by, asked_at, erased_at, forgotten_at, counts::text
from erasure
where erasure_id = $1::bigint
