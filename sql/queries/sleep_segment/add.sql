-- sleep_segment.add
-- Purpose: stores segments of sleep, each once; a duplicate fills the owner if it is NULL, and nothing else.
-- Parameters, arrays of the same length, no key twice: $1 device_sn, $2 start, $3 end, $4 type as sent, $5 customer, $6 org,
-- $7 user, $8 event time of the sample, $9 received_at.
-- Locks: rows of sleep_segment, in the order of the key.
insert into sleep_segment as known (
    device_sn, start_ts, end_ts, type_code, end_day, customer_id, org_id, user_id, ts, received_at
)
select
    sent.device_sn, sent.start_ts, sent.end_ts, sent.type_code,
    (sent.end_ts at time zone zone.name)::date,
    sent.customer_id, sent.org_id, sent.user_id, sent.ts, sent.received_at
from unnest(
    $1::text[], $2::timestamptz[], $3::timestamptz[], $4::integer[], $5::bigint[], $6::bigint[], $7::bigint[],
    $8::timestamptz[], $9::timestamptz[]
) as sent (device_sn, start_ts, end_ts, type_code, customer_id, org_id, user_id, ts, received_at)
cross join (
    -- Rollups are missing only while `vitals migrate` is still running.
    select coalesce((select time_zone from vitals.rollup where name = 'health_daily'), 'UTC') as name
) as zone
order by sent.device_sn collate "C", sent.start_ts, sent.end_ts, sent.type_code
on conflict (device_sn, start_ts, end_ts, type_code) do update set
    batch_id    = excluded.batch_id,
    customer_id = coalesce(known.customer_id, excluded.customer_id),
    org_id      = coalesce(known.org_id, excluded.org_id),
    user_id     = coalesce(known.user_id, excluded.user_id)
where (known.customer_id is null and excluded.customer_id is not null)
   or (known.org_id is null and excluded.org_id is not null)
   or (known.user_id is null and excluded.user_id is not null)
