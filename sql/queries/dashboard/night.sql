-- dashboard.night
-- Purpose: nights of a device, or of the devices that a person wore when they ended, in the order of days.
-- Parameters: $1 device (NULL: those of the person), $2 person (NULL: whoever wore the device), $3 from, $4 to (exclusive): nights that
-- end on the days that begin within this time, in the zone of the rollups; $5 to $7 end of the previous page: day (as midnight in UTC),
-- device, nothing (NULL: begin at from), $8 most rows (NULL: all).
-- Locks: none.
select
    n.device_sn, n.night, n.start_ts, n.end_ts, n.sleeps, round(n.light_hours, 2) as light_hours, round(n.deep_hours, 2) as deep_hours,
    round(n.unknown_hours, 2) as unknown_hours, round(n.total_hours, 2) as total_hours, n.user_id
from dashboard.sleep_night as n
left join dashboard.worn($2::bigint, $3, $4 + interval '1 day') as worn on worn.device_sn = n.device_sn
where n.device_sn = any (array(
        select $1::text where $1 is not null
        union all select w.device_sn from dashboard.worn($2, $3, $4 + interval '1 day') as w
    ))
    and n.night >= (select ($3::timestamptz at time zone c.time_zone + interval '1 day - 1 microsecond')::date from dashboard.clock as c)
    and n.night < (select ($4::timestamptz at time zone c.time_zone + interval '1 day - 1 microsecond')::date from dashboard.clock as c)
    and ($2 is null or worn.periods @> n.end_ts)
    and ($5::timestamptz is null or (n.night, n.device_sn, '') > (($5 at time zone 'UTC')::date, $6::text, $7::text))
order by n.night, n.device_sn
limit $8::bigint
