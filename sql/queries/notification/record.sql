-- notification.record
-- What became of messages, and the end of the leases they were sent under.
--   $1 channel
--   one element per message: $2 token  $3 address  $4 its number, NULL: nothing was sent  $5 sent, failed (counted),
--   limited (not counted) or dead  $6 the provider's words  $7 time until anything may go to the address again, seconds
-- What was sent is sent, whoever holds the lease by now; any other outcome counts only under a lease that still holds.
-- Locks: the addresses and rows, for the moment of the statement.
with said as (
    select *
    from unnest($2::uuid[], $3::text[], $4::uuid[], $5::text[], $6::text[], $7::float8[])
        as s (token, address, message_id, outcome, error, wait_seconds)
),
freed as (
    update vitals.notification_target t
    set lease_token = null, leased_until = null,
        -- No wait is none, whatever becomes of the clock.
        next_at = case when s.wait_seconds > 0 then now() + make_interval(secs => s.wait_seconds) else '-infinity' end,
        sent_at = case when s.outcome = 'sent' then now() else t.sent_at end
    from said s
    where t.channel = $1 and t.address = s.address and t.lease_token = s.token
    returning t.address
),
settled as (
    update notification n
    set status   = case s.outcome when 'sent' then 'sent' when 'dead' then 'dead' else 'pending' end,
        sent_at  = case when s.outcome = 'sent' then clock_timestamp() end,
        attempts = least(n.attempts, 32000) + case when s.outcome in ('failed', 'dead') then 1 else 0 end,
        error    = coalesce(s.error, n.error)
    from said s
    where n.status = 'pending' and n.channel = $1 and n.address = s.address and n.message_id = s.message_id
      and (s.outcome = 'sent' or s.address in (select f.address from freed f))
    returning n.alert_id, n.kind, n.status, n.contact_id
)
insert into alert_action (alert_id, action, note)
select x.alert_id, 'escalated', concat_ws(': ', $1, c.name)
from settled x
left join contact c on c.contact_id = x.contact_id
where x.kind = 'escalated' and x.status = 'sent'
order by x.alert_id
