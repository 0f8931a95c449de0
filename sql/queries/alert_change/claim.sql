-- alert_change.claim
-- Takes changes into a lease: nobody else shows these alerts until it runs out, and no transaction stays open while Redis
-- is waited for.
--   $1 token of the claiming loop    $2 most rows    $3 lease, seconds
-- What carries the loop's own token is claimed again: it has one claim at a time. The commit waits for no disk.
-- A lease that ends later than any can was made before the server's clock was put back: it is void.
-- Locks: the claimed rows, for the moment of the statement; rows that are locked are left to whoever has them.
with due as (
    select change_id
    from vitals.alert_change
    where leased_until is null or leased_until < now() or lease_token = $1::uuid
       or leased_until > now() + make_interval(secs => greatest(900, 2 * $3::float8))
    order by change_id
    limit $2
    for update skip locked
)
update vitals.alert_change c
set lease_token = $1::uuid, leased_until = now() + make_interval(secs => $3)
from due
where c.change_id = due.change_id
returning c.change_id, c.alert_id, c.device_sn, set_config('synchronous_commit', 'off', true)
