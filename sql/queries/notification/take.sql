-- notification.take
-- What is due to each leased address, as one message: that of an earlier attempt with its rows and its number, so that the
-- receiver can fold; else all rows that are due, urgent ones first, under a new number.
--   $1 channel    $2 token    $3 most rows of a message
-- Notifications that are no longer needed are cancelled here: escalations and repeats of alerts that are not firing, addresses
-- that are no longer used, alerts that were silenced before the first attempt.
-- An address all of whose rows were cancelled gives no row; its lease is given back by notification.record.
-- Locks: the taken rows, for the moment of the statement.
with held as materialized (
    select t.address, gen_random_uuid() as new_id
    from vitals.notification_target t
    where t.channel = $1 and t.lease_token = $2::uuid
),
tried as materialized (
    select h.address, h.new_id,
           (
               select n.message_id from notification n
               where n.status = 'pending' and n.channel = $1 and n.address = h.address and n.message_id is not null
                 and (n.due_at <= now() or n.due_at <= n.created_at)
               order by n.urgent desc, n.due_at, n.message_id
               limit 1
           ) as message_id
    from held h
),
due as materialized (
    select n.notification_id, n.alert_id, n.contact_id, n.address, n.unless_taken,
           t.message_id is not null as was_tried, coalesce(t.message_id, t.new_id) as message_id
    from tried t
    cross join lateral (
        select n.*
        from notification n
        where n.status = 'pending' and n.channel = $1 and n.address = t.address
          and (n.due_at <= now() or n.due_at <= n.created_at) -- the second: see notification.lease
          and n.message_id is not distinct from t.message_id
        order by n.urgent desc, n.due_at
        limit $3
    ) n
),
judged as (
    select d.*, ca.secret, c.language,
           case
               when d.unless_taken and a.status <> 'firing' then 'the alert is ' || a.status
               when ca.enabled is not true then 'the address is no longer used'
               when s.alert_id is not null and not d.was_tried then concat_ws(': ', 'silenced', s.note)
           end as needless
    from due d
    join alert a on a.alert_id = d.alert_id
    left join contact c on c.contact_id = d.contact_id
    left join contact_address ca on ca.contact_id = d.contact_id and ca.channel = $1 and ca.address = d.address
    left join vitals.silenced_alerts((select array_agg(alert_id) from due)) s on s.alert_id = d.alert_id
),
cancelled as (
    update notification n
    set status = 'cancelled', error = j.needless
    from judged j
    where n.notification_id = j.notification_id and n.status = 'pending' and j.needless is not null
),
taken as (
    update notification n
    set message_id = j.message_id
    from judged j
    where n.notification_id = j.notification_id and n.status = 'pending' and j.needless is null
      -- Whose lease has run out may be taking them just now.
      and (n.message_id is null or n.message_id = j.message_id)
    returning n.notification_id, n.alert_id, n.address, n.kind, n.urgent, n.due_at, n.attempts, n.message_id,
              n.traceparent, j.secret, j.language
)
select t.address, t.alert_id, t.message_id, t.kind, t.attempts, t.secret, t.language, t.traceparent,
       extract(epoch from clock_timestamp() - t.due_at)::float8 as age_seconds, t.due_at,
       to_jsonb(a) as alert, r.name as rule
from taken t
join alert a on a.alert_id = t.alert_id
join alert_rule r on r.rule_id = a.rule_id
order by t.address, t.urgent desc, t.due_at, t.notification_id
