-- health_data.newest_of_batches
-- Purpose: the newest row of every device in these batches, with the version of the read. Newest by vitals.effective_ts: a row that is
-- dated ahead counts by its time of receipt.
-- Parameters: $1 batch_ids, $2 and $3 time range of their rows, $4 most devices.
-- The range lets the planner exclude the chunks of other days. The first and the last batch are given for the planner too: it expects many
-- batches to be most of a chunk that was not analysed yet, and would rather read the whole primary key for the range (50 ms instead of 5
-- if that has 10 500 pages). Every statement over batches and a range gives them. The batches are scanned twice by their index, and
-- hashed; store::health_data disables sorts and nested loops for it. Measured with 3 batches of 5000 rows: 6 ms; `distinct on` 17 ms
-- (serials have equal first bytes, which makes sorting expensive); a join by primary key 8 ms, but 80 ms if the range spans 30 chunks.
-- read_version orders the reads of one row: of two snapshots, the later one has the larger xmax or, with the same xmax, fewer
-- running transactions. So a read that did not see the values of a duplicate never replaces a read that did.
-- Locks: none.
select h.device_sn, h.ts, newest.effective_ts, h.customer_id, h.org_id, h.user_id, h.upload_method,
       -- generated: columns of h,
       h.heart_rate, h.blood_oxygen, h.temperature, h.pressure_high, h.pressure_low, h.stress, h.step, h.distance,
       h.calorie, h.latitude, h.longitude, h.altitude, h.respiratory_rate, h.heart_rate_variability, h.blood_glucose,
       h.skin_temperature,
       -- end
       h.received_at,
       (select txid_snapshot_xmax(s) * 1000 - least(999, (select count(*) from txid_snapshot_xip(s)))
        from txid_current_snapshot() s) as read_version
from (
    select device_sn, max(vitals.effective_ts(ts, received_at)) as effective_ts
    from health_data
    where batch_id = any ($1) and ts between $2 and $3
      and batch_id between (select min(b) from unnest($1::bigint[]) as b) and (select max(b) from unnest($1::bigint[]) as b)
    group by device_sn
) newest
join health_data h on h.device_sn = newest.device_sn
    and vitals.effective_ts(h.ts, h.received_at) = newest.effective_ts
where h.batch_id = any ($1) and h.ts between $2 and $3
  and h.batch_id between (select min(b) from unnest($1::bigint[]) as b) and (select max(b) from unnest($1::bigint[]) as b)
limit $4
