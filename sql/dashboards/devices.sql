-- dashboards.devices
-- Purpose: the devices to choose from, by the name of who wears them.
-- Parameters: none.
-- Reads: device.
-- Cost: one pass over the devices.
select coalesce(user_name || ' (' || device_sn || ')', device_sn) as __text, device_sn as __value
from dashboard.device
order by user_name nulls last, device_sn
