-- dashboard.event
-- Purpose: events of a device, or of the devices that a person wore at their time, in the order of time.
-- Parameters: $1 device (NULL: those of the person), $2 person (NULL: whoever wore the device), $3 from, $4 to (exclusive), $5 to $7 end
-- of the previous page: ts, device, type (NULL: begin at from), $8 most rows (NULL: all).
-- Locks: none.
select device_sn, ts, event_type, severity, value, latitude, longitude, altitude, received_at, user_id
from dashboard.event
where device_sn = any (array(
        select $1::text where $1 is not null union all select w.device_sn from dashboard.worn($2::bigint, $3, $4) as w
    ))
    and ts >= $3::timestamptz and ts < $4::timestamptz
    and ($2::bigint is null or user_id = $2)
    and ($5::timestamptz is null or (ts, device_sn, event_type) > ($5, $6::text, $7::text))
order by ts, device_sn, event_type
limit $8::bigint
