-- dashboards.battery
-- Purpose: devices by charge of the battery, in steps of ten percent, and how many of them are charging.
-- Parameters: none.
-- Reads: device.
-- Cost: one pass over the devices.
select
    least(battery_level / 10 * 10, 90)                                 as from_percent,
    count(*)                                                            as devices,
    count(*) filter (where charging_status = 'CHARGING')                as charging
from dashboard.device
where battery_level is not null
group by 1
order by 1
