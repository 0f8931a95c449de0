-- dashboards.devices
-- Purpose: the list of devices to choose from, in the order of the names of their wearers.
-- Parameters: none.
-- Reads: device.
-- Cost: one pass over the devices.
select coalesce(user_name || ' (' || device_sn || ')', device_sn) as __text, device_sn as __value
from dashboard.device
order by user_name nulls last, device_sn
