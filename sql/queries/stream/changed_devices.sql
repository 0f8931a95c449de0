-- stream.changed_devices
-- Purpose: devices of which samples or device information were committed since an earlier snapshot, by whichever instance or hand.
--   $1 the first transaction that had not begun then    $2 transactions that were in progress then    $3 most rows that are read of each
--   kind    $4 most devices
-- If more devices have changed, each unit gets its share, so that a large tenant does not hide a small one. Result: rows and devices are
-- how many were read in all.
-- What is a day old when it is written is not the newest value that somebody waits for, and chunks of older days need not be searched.
-- The newest transactions are read first, and no more rows than $3, so the cost is bounded whatever the load.
-- Locks: none.
with changed as (
    (
        select device_sn, customer_id, org_id, ts, true as is_sample
        from health_data
        where batch_id >= $1 and ts > now() - interval '1 day'
        order by batch_id desc
        limit $3
    )
    union all
    (
        select device_sn, customer_id, org_id, ts, true
        from health_data
        where batch_id = any ($2) and ts > now() - interval '1 day'
        limit $3
    )
    union all
    (
        select device_sn, customer_id, org_id, ts, false
        from device_info
        where batch_id >= $1 and ts > now() - interval '1 day'
        order by batch_id desc
        limit $3
    )
    union all
    (
        select device_sn, customer_id, org_id, ts, false
        from device_info
        where batch_id = any ($2) and ts > now() - interval '1 day'
        limit $3
    )
),
changed_device as (
    select
        device_sn, bool_or(is_sample) as has_sample, bool_or(not is_sample) as has_info, max(ts) as ts, count(*) as rows,
        max(customer_id) as customer_id, max(org_id) as org_id
    from changed
    group by device_sn
)
select
    device_sn, has_sample, has_info, sum(rows) over ()::bigint as rows, count(*) over () as devices
from changed_device
order by row_number() over (partition by customer_id, org_id order by ts desc), ts desc
limit $4
