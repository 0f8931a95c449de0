-- overview.raw
-- Purpose: the size of health_data: devices, rows, span, bytes with indexes, chunks. Reads every row.
-- Locks: none.
select
    (select count(*) from device)                        as devices,
    count(*)                                             as rows,
    min(ts)                                              as first_ts,
    max(ts)                                              as last_ts,
    coalesce(hypertable_size('health_data'), 0)::bigint  as bytes,
    (select count(*) from show_chunks('health_data'))    as chunks
from health_data
