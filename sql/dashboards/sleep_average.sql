-- dashboards.sleep_average
-- Purpose: mean hours of sleep of all people, and the number of nights, by day.
-- Parameters: from, to (the first and the last local day on which the nights end).
-- Reads: sleep_night.
-- Cost: grows with devices times days, because each night is computed from its segments. Ask for a few weeks.
select
    n.night::timestamp at time zone clock.time_zone as time,
    n.night                                         as day,
    count(*)                                        as nights,
    round(avg(n.total_hours), 2)                    as total_hours,
    round(avg(n.deep_hours), 2)                     as deep_hours,
    round(avg(n.light_hours), 2)                    as light_hours
from dashboard.clock, dashboard.sleep_night as n
where n.night between (:'from'::timestamptz at time zone clock.time_zone)::date
        and (:'to'::timestamptz at time zone clock.time_zone)::date
group by 1, 2
order by 1
