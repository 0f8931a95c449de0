-- alert_replay.devices
-- Purpose: a page of devices, in the order of their serials.
-- Parameters: $1 serials (NULL: any), $2 the last serial of the previous page, $3 most rows.
-- Locks: none.
select device_sn
from device
where ($1::text[] is null or device_sn = any ($1)) and device_sn > $2
order by device_sn
limit $3
