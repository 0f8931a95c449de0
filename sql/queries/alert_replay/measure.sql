-- alert_replay.measure
-- Purpose: how many devices there are, and how many of those that are named.
-- Parameters: $1 serials (NULL: any).
-- Locks: none.
select count(*) as devices from device where $1::text[] is null or device_sn = any ($1)
