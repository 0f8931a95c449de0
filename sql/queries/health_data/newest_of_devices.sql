-- health_data.newest_of_devices
-- Purpose: the newest row of each device of a page, for a rebuild of the Redis view; a device without rows has NULLs.
-- Parameters: $1 the last serial of the previous page, $2 devices per page.
-- For each device the primary key is searched in one chunk after another, from the newest back, until a chunk has a row; so a device that
-- has been silent for n days costs n searches.
-- Newest by vitals.effective_ts, as in newest_of_batches. Other rows are read only if the row with the newest event time is dated ahead.
-- The effective time is never later than the event time, so it is enough to read the rows from the effective time of that row on; these
-- are the rows of at most a day if a watch sent it.
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
       case when n.is_ahead then c.respiratory_rate else n.respiratory_rate end as respiratory_rate,
       case when n.is_ahead then c.heart_rate_variability else n.heart_rate_variability end as heart_rate_variability,
       case when n.is_ahead then c.blood_glucose else n.blood_glucose end as blood_glucose,
       case when n.is_ahead then c.skin_temperature else n.skin_temperature end as skin_temperature,
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
