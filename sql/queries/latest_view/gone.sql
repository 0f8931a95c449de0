-- latest_view.gone
-- Which of some devices have no row any more: a policy has dropped it, or somebody deleted it.
--   $1 their serials
-- Locks: none.
select shown.device_sn
from unnest($1::text[]) as shown (device_sn)
where not exists (select from device where device.device_sn = shown.device_sn)
