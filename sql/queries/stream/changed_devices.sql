-- stream.changed_devices
-- Purpose: devices of which samples or device information were committed since an earlier snapshot, by whichever instance or hand.
--   $1 the first transaction that had not begun then    $2 transactions that were in progress then    $3 most rows that are read of each
-- Result: rows is the number of rows that were read of the device; if they are as many as $3 in all, there may be more devices.
-- What is a day old when it is written is not the newest value that somebody waits for, and chunks of older days need not be searched.
-- The newest transactions are read first, so the cost does not grow with the load.
-- Locks: none.
select device_sn, bool_or(is_sample) as has_sample, bool_or(not is_sample) as has_info, count(*) as rows
from (
    (
        select device_sn, true as is_sample
        from health_data
        where batch_id >= $1 and ts > now() - interval '1 day'
        order by batch_id desc
        limit $3
    )
    union all
    (
        select device_sn, true
        from health_data
        where batch_id = any ($2) and ts > now() - interval '1 day'
        limit $3
    )
    union all
    (
        select device_sn, false
        from device_info
        where batch_id >= $1 and ts > now() - interval '1 day'
        order by batch_id desc
        limit $3
    )
    union all
    (
        select device_sn, false
        from device_info
        where batch_id = any ($2) and ts > now() - interval '1 day'
        limit $3
    )
) as changed
group by device_sn
