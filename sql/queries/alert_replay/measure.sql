-- alert_replay.measure
-- Purpose: the number of devices, and the number of the given ones that exist.
-- Parameters: $1 serials (NULL: any).
-- Locks: none.
select count(*) as devices from device where $1::text[] is null or device_sn = any ($1)
