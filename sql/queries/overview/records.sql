-- overview.records
-- Purpose: the rows of a fleet: serial and time of each, as often as it is stored.
-- Parameters: $1 the first serial, $2 the last one.
-- Locks: none.
select device_sn, ts
from health_data
where device_sn between $1::text and $2::text
