-- dashboards.wear
-- Purpose: how many devices are worn, and how many are not.
-- Parameters: none.
-- Reads: device.
-- Cost: one pass over the devices.
select
    case wear_state when '1' then 'worn' when '0' then 'not worn' else coalesce(wear_state, 'not sent') end as wear,
    count(*)                                                                                                as devices
from dashboard.device
group by 1
order by 2 desc, 1
