-- stream.devices
-- Purpose: the state of devices, with the units above that of the wearer.
--   $1 serials
-- Locks: none.
select
    d.device_sn, d.user_id, d.user_name, d.org_id, d.org_name, d.customer_id, d.battery_level, d.charging_status, d.wear_state,
    d.info_ts, coalesce(u.ancestors, '{}') as ancestors
from dashboard.device as d
left join org_unit as u on u.org_id = d.org_id
where d.device_sn = any ($1)
