-- health_data.newest_of_devices
-- The newest row of each device of a page of devices, for a rebuild of the view; a device without rows has NULLs.
--   $1 serial after which the page begins    $2 devices a page
-- Each device is one descent of the primary key in the newest chunk that has a row of it: chunks are tried from the
-- newest back, so a device silent for n days costs n descents.
-- Locks: none.
select d.device_sn,
       ts, customer_id, org_id, user_id, heart_rate, blood_oxygen, temperature, pressure_high,
       pressure_low, stress, step, distance, calorie, latitude, longitude, altitude, upload_method,
       (select txid_snapshot_xmax(s) * 1000 - least(999, (select count(*) from txid_snapshot_xip(s)))
        from txid_current_snapshot() s) as read_version
from (select device_sn from device where device_sn > $1 order by device_sn limit $2) d
left join lateral (
    select * from health_data h where h.device_sn = d.device_sn order by h.ts desc limit 1
) h on true
order by d.device_sn
