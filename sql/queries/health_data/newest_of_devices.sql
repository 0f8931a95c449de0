-- health_data.newest_of_devices
-- The newest row of each device of a page of devices, for a rebuild of the view; a device without rows has NULLs.
--   $1 serial after which the page begins    $2 devices a page
-- Each device is one descent of the primary key in the newest chunk that has a row of it: chunks are tried from the
-- newest back, so a device silent for n days costs n descents.
-- Newest by vitals.effective_ts, as in newest_of_batches. Only where the row of the newest event time is dated ahead are others looked
-- at: no row counts as later than its event time, so those from what that one counts as on, which is a day's at most where a
-- watch sent it.
-- Locks: none.
select d.device_sn,
       case when n.is_ahead then c.ts else n.ts end as ts,
       case when n.is_ahead then c.effective_ts else n.ts end as effective_ts,
       case when n.is_ahead then c.customer_id else n.customer_id end as customer_id,
       case when n.is_ahead then c.org_id else n.org_id end as org_id,
       case when n.is_ahead then c.user_id else n.user_id end as user_id,
       case when n.is_ahead then c.upload_method else n.upload_method end as upload_method,
       -- generated: columns of c or n,
       case when n.is_ahead then c.heart_rate else n.heart_rate end as heart_rate,
       case when n.is_ahead then c.blood_oxygen else n.blood_oxygen end as blood_oxygen,
       case when n.is_ahead then c.temperature else n.temperature end as temperature,
       case when n.is_ahead then c.pressure_high else n.pressure_high end as pressure_high,
       case when n.is_ahead then c.pressure_low else n.pressure_low end as pressure_low,
       case when n.is_ahead then c.stress else n.stress end as stress,
       case when n.is_ahead then c.step else n.step end as step,
       case when n.is_ahead then c.distance else n.distance end as distance,
       case when n.is_ahead then c.calorie else n.calorie end as calorie,
       case when n.is_ahead then c.latitude else n.latitude end as latitude,
       case when n.is_ahead then c.longitude else n.longitude end as longitude,
       case when n.is_ahead then c.altitude else n.altitude end as altitude,
       -- end
       (select txid_snapshot_xmax(s) * 1000 - least(999, (select count(*) from txid_snapshot_xip(s)))
        from txid_current_snapshot() s) as read_version
from (select device_sn from device where device_sn > $1 order by device_sn limit $2) d
left join lateral (
    select *, h.ts <> effective_ts as is_ahead
    from (select *, vitals.effective_ts(ts, received_at) as effective_ts from health_data) h where h.device_sn = d.device_sn order by h.ts desc limit 1
) n on true
left join lateral (
    select *, vitals.effective_ts(m.ts, m.received_at) as effective_ts
    from health_data m
    where n.is_ahead and m.device_sn = d.device_sn and m.ts >= n.effective_ts
    order by effective_ts desc
    limit 1
) c on true
order by d.device_sn
