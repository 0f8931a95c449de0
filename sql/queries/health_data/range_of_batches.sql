-- health_data.range_of_batches
-- The time range of batches whose writer did not say it; NULLs when they left no rows.
--   $1 batch_ids
-- One probe of the batch_id index in every chunk. Kept within the years both ends of the wire can express.
-- Locks: none.
select greatest(min(ts), timestamptz '0001-01-01 00:00:00+00') as first_ts,
       least(max(ts), timestamptz '9999-12-30 00:00:00+00')    as last_ts
from health_data
where batch_id = any ($1)
