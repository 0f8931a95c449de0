-- dashboards.sleep_nights
-- Purpose: sleep of one device, by night.
-- Parameters: device (serial); from, to (the first and the last local day on which the nights end).
-- Reads: sleep_night.
-- Cost: reads a few rows by an index.
select
    n.night::timestamp at time zone clock.time_zone as time,
    n.night                                         as day,
    round(n.deep_hours, 2)                          as deep_hours,
    round(n.light_hours, 2)                         as light_hours,
    round(n.unknown_hours, 2)                       as unknown_hours,
    round(n.total_hours, 2)                         as total_hours
from dashboard.clock, dashboard.sleep_night as n
where n.device_sn = :'device'
    and n.night between (:'from'::timestamptz at time zone clock.time_zone)::date
        and (:'to'::timestamptz at time zone clock.time_zone)::date
order by n.night
