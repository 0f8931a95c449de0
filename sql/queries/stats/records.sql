-- stats.records
-- Purpose: readings stored today, from the accounting of the transactions; the day is that of the zone of the rollups. Accounting of more
-- than a minute ago does not change any more: the caller caches its sum and asks from there on, so only the first query of a day reads
-- the whole day.
-- Parameters: $1 the time up to which the caller has the sum (NULL: it has none).
-- Result: settled_at is $1 of the next query; settled counts the time before it, recent the time after it.
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
