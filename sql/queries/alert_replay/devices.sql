-- alert_replay.devices
-- Purpose: the next devices, in the order of their serials.
-- Parameters: $1 serials (NULL: any), $2 the serial behind which the page begins, $3 how many at most.
-- Locks: none.
select device_sn
from device
where ($1::text[] is null or device_sn = any ($1)) and device_sn > $2
order by device_sn
limit $3
