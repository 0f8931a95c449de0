-- overview.account
-- Purpose: the outcome of the readings that one instance of the service received.
-- Parameters: $1 name of the instance.
-- Locks: none.
select
    count(*)                          as batches,
    coalesce(sum(received), 0)::bigint  as received,
    coalesce(sum(stored), 0)::bigint    as stored,
    coalesce(sum(duplicate), 0)::bigint as duplicate,
    coalesce(sum(rejected), 0)::bigint  as rejected
from vitals.ingest_batch
where instance = $1::text and kind = 'reading'
