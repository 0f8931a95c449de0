-- notification.lease
-- Takes addresses of a channel to which something is due: nobody else sends to them until the lease runs out, and no
-- transaction stays open while they are sent to. Urgent ones first, then those that wait longest.
--   $1 channel    $2 token    $3 lease, seconds    $4 most addresses    $5 merging where the route does not say, seconds
-- Merging: after a message, what is not urgent waits; a message that was tried before waits for its back-off only.
-- Where the server's clock was put back nobody waits for what it showed before: what was due when it was written is due, a last
-- message in the time to come holds up nothing, and a lease that ends later than any can is void.
-- A lease need not survive a crash of the server, so its commit waits for no disk.
-- Locks: the rows of notification_target, for the moment of the statement, by address.
with recursive waiting as (
    -- Each address with pending rows once, by hops through notification_pending_idx.
    (
        select n.address from notification n
        where n.status = 'pending' and n.channel = $1
        order by n.address
        limit 1
    )
    union all
    select (
        select n.address from notification n
        where n.status = 'pending' and n.channel = $1 and n.address > w.address
        order by n.address
        limit 1
    )
    from waiting w
    where w.address is not null
),
due as (
    select w.address, first.urgent, first.due_at
    from waiting w
    left join vitals.notification_target t on t.channel = $1 and t.address = w.address
    cross join lateral (
        select n.urgent, n.due_at
        from notification n
        where n.status = 'pending' and n.channel = $1 and n.address = w.address and (n.due_at <= now() or n.due_at <= n.created_at)
          and (
              n.urgent or n.message_id is not null or t.sent_at is null or t.sent_at > now()
              or t.sent_at + make_interval(secs => coalesce(n.merge_seconds, $5)) <= now()
          )
        order by n.urgent desc, n.due_at
        limit 1
    ) first
    where (t.next_at is null or t.next_at <= now())
      and (t.leased_until is null or t.leased_until < now() or t.leased_until > now() + make_interval(secs => greatest(900, 2 * $3::float8)))
    order by first.urgent desc, first.due_at
    limit $4
)
insert into vitals.notification_target as t (channel, address, lease_token, leased_until)
select $1, d.address, $2::uuid, now() + make_interval(secs => $3)
from due d
order by d.address
on conflict (channel, address) do update
set lease_token = excluded.lease_token, leased_until = excluded.leased_until
-- Another instance may have been there meanwhile.
where t.next_at <= now()
  and (t.leased_until is null or t.leased_until < now() or t.leased_until > now() + make_interval(secs => greatest(900, 2 * $3::float8)))
returning t.address, set_config('synchronous_commit', 'off', true)
