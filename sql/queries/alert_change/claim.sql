-- alert_change.claim
-- Takes changed alerts into a lease and gives them as they are now; one that is gone has no state.
--   $1 token of the claiming loop    $2 most rows    $3 lease, seconds
-- What carries the loop's own token is claimed again: it has one claim at a time. The commit waits for no disk.
-- Locks: the claimed rows, for the moment of the statement; rows that are locked are left to whoever has them.
with due as (
    select change_id
    from vitals.alert_change
    where leased_until is null or leased_until < now() or lease_token = $1::text::uuid
    order by change_id
    limit $2
    for update skip locked
),
claimed as (
    update vitals.alert_change c
    set lease_token = $1::text::uuid, leased_until = now() + make_interval(secs => $3)
    from due
    where c.change_id = due.change_id
    returning c.change_id, c.alert_id, c.device_sn
)
select c.change_id, c.alert_id, c.device_sn, to_jsonb(a) as alert, r.name as rule, set_config('synchronous_commit', 'off', true)
from claimed c
left join alert a on a.alert_id = c.alert_id
left join alert_rule r on r.rule_id = a.rule_id
