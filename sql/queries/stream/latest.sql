-- stream.latest
-- Purpose: the newest values of devices, with the units above that of the wearer.
--   $1 serials
-- Locks: none.
select l.*, coalesce(u.ancestors, '{}') as ancestors
from dashboard.latest as l
left join org_unit as u on u.org_id = l.org_id
where l.device_sn = any ($1)
