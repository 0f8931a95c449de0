-- health_data.newest_of_devices
-- The newest row of each device of a page of devices, for a rebuild of the view; a device without rows has NULLs.
--   $1 serial after which the page begins    $2 devices a page
-- Each device is one descent of the primary key in the newest chunk that has a row of it: chunks are tried from the
-- newest back, so a device silent for n days costs n descents.
-- Newest by counted_ts, as in newest_of_batches. Only where the row of the newest event time is dated ahead are others looked
-- at: the 2000 before it, which is more than a watch measures in the day it may be ahead.
-- Locks: none.
select d.device_sn,
       ts, customer_id, org_id, user_id, heart_rate, blood_oxygen, temperature, pressure_high,
       pressure_low, stress, step, distance, calorie, latitude, longitude, altitude, upload_method, counted_ts,
       (select txid_snapshot_xmax(s) * 1000 - least(999, (select count(*) from txid_snapshot_xip(s)))
        from txid_current_snapshot() s) as read_version
from (select device_sn from device where device_sn > $1 order by device_sn limit $2) d
left join lateral (
    select h.ts > h.received_at + interval '5 minutes' as is_ahead
    from health_data h where h.device_sn = d.device_sn order by h.ts desc limit 1
) n on true
left join lateral (
    select *, ts as counted_ts
    from (select * from health_data h where not n.is_ahead and h.device_sn = d.device_sn order by h.ts desc limit 1) one
    union all
    (
        select *, case
            when ts <= received_at + interval '5 minutes' then ts
            else received_at + least(ts - received_at, interval '1 day') / 1000000
        end as counted_ts
        from (select * from health_data h where n.is_ahead and h.device_sn = d.device_sn order by h.ts desc limit 2000) many
        order by counted_ts desc
        limit 1
    )
) h on true
order by d.device_sn
