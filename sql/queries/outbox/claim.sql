-- outbox.claim
-- Takes outbox rows into a lease: nobody else claims them until it runs out, and no transaction stays open while their reaction waits
-- for Redis.
--   $1 token of the claiming worker    $2 most rows    $3 lease, seconds
--   $4 smallest batch_id to look at    $5 which rows:
--      imports  without a time range, or sliced
--      urgent   with an event that is critical; found by an index of their own, whatever the backlog
--      late     readings of long ago alone
--      live     all others
--   $6 most rows of the share that another worker may hold: if it holds more, it is catching up, and this one claims none of them, because
--      rows that are evaluated before older ones of their device cost several times as much. A worker that has not renewed its lease for
--      half of it does not count, nor do parked rows. Only the first 1000 rows are looked at.
--   $7 rows that the worker is reacting to: they are not claimed again
-- Late begins a day before what ingest::chunks takes for it, for a row may have waited between its receipt and its transaction.
-- Events are never late: whatever time a device names, somebody may be waiting for help.
-- What else carries the worker's own token is claimed again: an earlier claim of its own lost it to a broken connection, or it is an import
-- that is not finished.
-- The floor $4 keeps the scan off index entries of deleted rows that vacuum cannot remove while an old snapshot (a dump, say) is open;
-- a sweep passes 0. Otherwise the cost follows the rows that are claimed, not those that wait.
-- A lease that ends later than any can (a batch is parked for 64 leases at most) was made before the server's clock was put
-- back: it is void, or nobody would react for as long as the clock went back.
-- A claim need not survive a crash of the server, so its commit waits for no disk.
-- Locks: the claimed rows, for the moment of the statement; rows that are locked are left to whoever has them.
with ahead as materialized (
    select count(*) as rows
    from (
        select *
        from outbox
        where batch_id >= $4 and $5 in ('live', 'late')
        order by batch_id
        limit 1000
    ) as o
    where lease_token <> $1::uuid and leased_until between now() + make_interval(secs => $3 / 2) and now() + make_interval(secs => $3)
      and not urgent and not sliced
      and $5 = case when first_ts < created_at - interval '15 days' and events = 0 then 'late' else 'live' end
      and first_ts is not null
),
due as (
    select batch_id
    from outbox
    where batch_id >= $4
      and (select rows from ahead) <= $6
      and ($5 <> 'urgent' or urgent)
      and $5 = case
          when first_ts is null or sliced then 'imports'
          when urgent then 'urgent'
          when first_ts < created_at - interval '15 days' and events = 0 then 'late'
          else 'live'
      end
      and (
          leased_until is null or leased_until < now() or lease_token = $1::uuid and batch_id <> all ($7::bigint[])
          or leased_until > now() + make_interval(secs => greatest(900, 65 * $3::float8))
      )
    order by batch_id
    limit $2
    for update skip locked
)
update outbox
set lease_token  = $1::uuid,
    leased_until = now() + make_interval(secs => $3),
    attempts     = least(outbox.attempts, 32000) + 1
from due
where outbox.batch_id = due.batch_id
returning outbox.batch_id, outbox.first_ts, outbox.last_ts, outbox.attempts, outbox.sliced, outbox.device_infos, outbox.traceparent,
          outbox.partitions,
          coalesce(outbox.rows, 0) + coalesce(outbox.events, 0) + coalesce(outbox.device_infos, 0) as records,
          extract(epoch from clock_timestamp() - outbox.created_at)::float8 as age_seconds,
          set_config('synchronous_commit', 'off', true)
