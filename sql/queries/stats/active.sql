-- stats.active
-- Purpose: devices that have sent a sample today, and people who wear them. One look-up by key per device, however large health_data is;
-- the rollup would have to be computed for the day that is not over.
-- Parameters: $1 start of today.
-- Locks: none.
select count(*) as devices, count(distinct newest.user_id) as users
from device as d
cross join lateral (
    select h.user_id
    from health_data as h
    where h.device_sn = d.device_sn and h.ts >= $1::timestamptz and h.ts < $1::timestamptz + interval '25 hours'
    order by h.ts desc
    limit 1
) as newest
