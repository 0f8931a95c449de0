-- dashboard.exercise
-- Purpose: days of exercise of a device, or of the devices that a person wore on them, in the order of days.
-- Parameters: $1 device (NULL: those of the person), $2 person (NULL: whoever wore the device), $3 from, $4 to (exclusive): days that
-- begin within this time, in the zone of the rollups; $5 to $7 end of the previous page: day (as midnight in UTC), device, nothing (NULL:
-- begin at from), $8 most rows (NULL: all).
-- Locks: none.
select x.device_sn, x.day, x.strength_minutes, x.active_hours, x.steps, x.user_id
from dashboard.exercise_day as x
where x.device_sn = any (array(
        select $1::text where $1 is not null
        union all select w.device_sn from dashboard.worn($2::bigint, $3, $4 + interval '1 day') as w
    ))
    and x.day >= (select ($3::timestamptz at time zone c.time_zone + interval '1 day - 1 microsecond')::date from dashboard.clock as c)
    and x.day < (select ($4::timestamptz at time zone c.time_zone + interval '1 day - 1 microsecond')::date from dashboard.clock as c)
    and ($2::bigint is null or x.user_id = $2)
    and ($5::timestamptz is null or (x.day, x.device_sn, '') > (($5 at time zone 'UTC')::date, $6::text, $7::text))
order by x.day, x.device_sn
limit $8::bigint
