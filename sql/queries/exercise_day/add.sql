-- exercise_day.add
-- Purpose: stores totals of days. Of each document the totals of the newest sample are kept: an older sample, or one of the same
-- time, changes nothing; a newer one replaces the totals that it has. A duplicate fills the owner if it is NULL.
-- Parameters, arrays of the same length, no key twice: $1 device_sn, $2 day, $3 customer, $4 org, $5 user; from the document of the
-- day: $6 event time of the sample, $7 strength minutes, $8 active hours, $9 steps; from the document of the week: $10 to
-- $13 the same; $14 received_at.
-- Locks: rows of exercise_day, in the order of the key.
insert into exercise_day as known (
    device_sn, day, customer_id, org_id, user_id,
    daily_ts, daily_strength_minutes, daily_active_hours, daily_steps,
    weekly_ts, weekly_strength_minutes, weekly_active_hours, weekly_steps, received_at
)
select *
from unnest(
    $1::text[], $2::date[], $3::bigint[], $4::bigint[], $5::bigint[],
    $6::timestamptz[], $7::numeric[], $8::numeric[], $9::integer[],
    $10::timestamptz[], $11::numeric[], $12::numeric[], $13::integer[], $14::timestamptz[]
) as sent (
    device_sn, day, customer_id, org_id, user_id,
    daily_ts, daily_strength_minutes, daily_active_hours, daily_steps,
    weekly_ts, weekly_strength_minutes, weekly_active_hours, weekly_steps, received_at
)
order by device_sn collate "C", day
on conflict (device_sn, day) do update set
    batch_id    = excluded.batch_id,
    received_at = excluded.received_at,
    customer_id = coalesce(known.customer_id, excluded.customer_id),
    org_id      = coalesce(known.org_id, excluded.org_id),
    user_id     = coalesce(known.user_id, excluded.user_id),
    -- greatest() ignores NULL, and a comparison with NULL is not true, so a document that was not sent changes nothing.
    daily_ts    = greatest(known.daily_ts, excluded.daily_ts),
    (daily_strength_minutes, daily_active_hours, daily_steps) = (
        select
            case when newer then coalesce(excluded.daily_strength_minutes, known.daily_strength_minutes) else known.daily_strength_minutes end,
            case when newer then coalesce(excluded.daily_active_hours, known.daily_active_hours) else known.daily_active_hours end,
            case when newer then coalesce(excluded.daily_steps, known.daily_steps) else known.daily_steps end
        from (select excluded.daily_ts > coalesce(known.daily_ts, '-infinity') as newer) as daily
    ),
    weekly_ts   = greatest(known.weekly_ts, excluded.weekly_ts),
    (weekly_strength_minutes, weekly_active_hours, weekly_steps) = (
        select
            case when newer then coalesce(excluded.weekly_strength_minutes, known.weekly_strength_minutes) else known.weekly_strength_minutes end,
            case when newer then coalesce(excluded.weekly_active_hours, known.weekly_active_hours) else known.weekly_active_hours end,
            case when newer then coalesce(excluded.weekly_steps, known.weekly_steps) else known.weekly_steps end
        from (select excluded.weekly_ts > coalesce(known.weekly_ts, '-infinity') as newer) as weekly
    )
where excluded.daily_ts > coalesce(known.daily_ts, '-infinity')
   or excluded.weekly_ts > coalesce(known.weekly_ts, '-infinity')
   or (known.customer_id is null and excluded.customer_id is not null)
   or (known.org_id is null and excluded.org_id is not null)
   or (known.user_id is null and excluded.user_id is not null)
