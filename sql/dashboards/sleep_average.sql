-- dashboards.sleep_average
-- Purpose: mean sleep of everybody, night by night, and how many slept.
-- Parameters: from, to (nights that end on these local days, and between).
-- Reads: sleep_night.
-- Cost: every night of the time is merged from its segments: with devices times days, so name a few weeks.
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
