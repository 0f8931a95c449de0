-- dashboard.track
-- Purpose: positions of a device, or of the devices that a person wore at their time, in the order of time. Of a day after the other, so
-- that the server keeps the rows of one day at a time.
-- Parameters: $1 device (NULL: those of the person), $2 person (NULL: whoever wore the device), $3 from, $4 to (exclusive), $5 to $7 end
-- of the previous page: ts, device, nothing (NULL: begin at from), $8 most rows (NULL: all).
-- Locks: none.
select p.device_sn, p.ts, p.latitude, p.longitude, p.altitude, p.user_id
from generate_series(coalesce($5::timestamptz, $3::timestamptz), $4::timestamptz, interval '1 day') as d (day)
cross join lateral (
    select t.*
    from (
        select $1::text as device_sn where $1 is not null
        union all
        select w.device_sn from dashboard.worn($2::bigint, $3, $4) as w
    ) as worn
    cross join lateral dashboard.device_track(
        worn.device_sn, d.day, least($4, d.day + interval '1 day'), $8::bigint + 100
    ) as t
    where $2 is null or t.user_id = $2
    order by t.ts, t.device_sn
) as p
where $5 is null or (p.ts, p.device_sn, '') > ($5, $6::text, $7::text)
limit $8
