-- workout.add
-- Purpose: stores workouts, each once. If a workout is sent again with other figures, the larger ones are kept, in any order. A duplicate
-- fills NULLs.
-- Parameters, arrays of the same length, no key twice: $1 device_sn, $2 start, $3 end, $4 type as sent, $5 calorie, $6 distance,
-- $7 record_id, $8 customer, $9 org, $10 user, $11 event time of the sample, $12 received_at.
-- Locks: rows of workout, in the order of the key.
insert into workout as known (
    device_sn, start_ts, end_ts, workout_type, calorie, distance, record_id, customer_id, org_id, user_id, ts,
    received_at
)
select *
from unnest(
    $1::text[], $2::timestamptz[], $3::timestamptz[], $4::integer[], $5::numeric[], $6::numeric[], $7::text[],
    $8::bigint[], $9::bigint[], $10::bigint[], $11::timestamptz[], $12::timestamptz[]
) as sent (
    device_sn, start_ts, end_ts, workout_type, calorie, distance, record_id, customer_id, org_id, user_id, ts,
    received_at
)
order by device_sn collate "C", start_ts, workout_type
on conflict (device_sn, start_ts, workout_type) do update set
    batch_id    = excluded.batch_id,
    end_ts      = greatest(known.end_ts, excluded.end_ts),
    calorie     = greatest(known.calorie, excluded.calorie),
    distance    = greatest(known.distance, excluded.distance),
    record_id   = coalesce(known.record_id, excluded.record_id),
    customer_id = coalesce(known.customer_id, excluded.customer_id),
    org_id      = coalesce(known.org_id, excluded.org_id),
    user_id     = coalesce(known.user_id, excluded.user_id)
where excluded.end_ts > known.end_ts
   or excluded.calorie > coalesce(known.calorie, '-infinity')
   or excluded.distance > coalesce(known.distance, '-infinity')
   or (known.record_id is null and excluded.record_id is not null)
   or (known.customer_id is null and excluded.customer_id is not null)
   or (known.org_id is null and excluded.org_id is not null)
   or (known.user_id is null and excluded.user_id is not null)
