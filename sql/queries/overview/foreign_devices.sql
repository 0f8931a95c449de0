-- overview.foreign_devices
-- Purpose: how many devices are known whose serial does not begin so. For the demo: data that are not its own.
-- Parameters: $1 beginning of a serial, without wildcards.
-- Locks: none.
select count(*) as devices
from device
where not starts_with(device_sn, $1::text)
