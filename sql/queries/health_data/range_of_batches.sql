-- health_data.range_of_batches
-- Purpose: the time range of batches that were written without one; NULLs if they left no rows.
-- Parameters: $1 batch_ids.
-- It searches the batch_id index of every chunk. The result is limited to the years that the service can represent.
-- Locks: none.
select greatest(min(ts), timestamptz '0001-01-01 00:00:00+00') as first_ts,
       least(max(ts), timestamptz '9999-12-30 00:00:00+00')    as last_ts
from health_data
where batch_id = any ($1)
