-- dashboard.workout
-- Purpose: workouts of a device, or of the devices that a person wore at their start, in the order of time.
-- Parameters: $1 device (NULL: those of the person), $2 person (NULL: whoever wore the device), $3 from, $4 to (exclusive), $5 to $7 end
-- of the previous page: start, device, type (NULL: begin at from), $8 most rows (NULL: all).
-- Locks: none.
select device_sn, start_ts, end_ts, workout_type, type_name, calorie, distance, user_id
from dashboard.workout
where device_sn = any (array(
        select $1::text where $1 is not null union all select w.device_sn from dashboard.worn($2::bigint, $3, $4) as w
    ))
    and start_ts >= $3::timestamptz and start_ts < $4::timestamptz
    and ($2::bigint is null or user_id = $2)
    and ($5::timestamptz is null or (start_ts, device_sn, coalesce(workout_type::text, '')) > ($5, $6::text, $7::text))
order by start_ts, device_sn, coalesce(workout_type::text, '')
limit $8::bigint
