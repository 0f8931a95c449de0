-- stats.records
-- Purpose: readings stored today, by the account of the transactions; today begins in the zone of the rollups. What was
-- committed more than a minute ago is settled: the caller remembers it and asks from there on, so that only the first
-- question of a day reads the whole day.
-- Parameters: $1 where the caller's memory ends (NULL: it has none).
-- Result: settled_at is $1 of the next question; settled is until then, recent since then.
-- Locks: none.
select
    day.today,
    greatest(day.today, now() - interval '1 minute')                                                   as settled_at,
    coalesce(sum(b.stored) filter (where b.committed_at < now() - interval '1 minute'), 0)::bigint      as settled,
    coalesce(sum(b.stored) filter (where b.committed_at >= now() - interval '1 minute'), 0)::bigint     as recent
from (
    select date_trunc('day', now(), time_zone) as today from vitals.rollup where name = 'health_daily'
) as day
left join vitals.ingest_batch as b on b.committed_at >= greatest(day.today, $1::timestamptz) and b.kind = 'reading'
group by day.today
