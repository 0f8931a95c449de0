-- notification.resend
-- Dead letters are tried again from the first attempt on, at the address that their contact has now: the same one while it is in
-- use, else one that was not notified of the alert yet. They keep their number: a receiver that has it after all can fold.
--   $1 their numbers, NULL: all
-- Gives each with its outcome: same, moved; unreachable (it stays a dead letter) or needless (it is cancelled), and why.
-- Locks: the rows.
with dead as materialized (
    select n.notification_id, n.alert_id, n.kind, n.sequence, n.channel, n.address, n.contact_id, n.unless_taken
    from notification n
    where n.status = 'dead' and ($1::bigint[] is null or n.notification_id = any ($1))
    order by n.notification_id
    for update
),
aimed as (
    select d.*, a.status as alert_status, c.name as contact,
           (
               select ca.address
               from contact_address ca
               where ca.contact_id = d.contact_id and ca.channel = d.channel and ca.enabled
                 and (ca.address = d.address or not exists (
                     select from notification o
                     where o.alert_id = d.alert_id and o.kind = d.kind and o.sequence = d.sequence and o.channel = d.channel and o.address = ca.address
                 ))
               order by ca.address <> d.address, ca.address
               limit 1
           ) as present_address,
           exists (
               select from contact_address ca
               where ca.contact_id = d.contact_id and ca.channel = d.channel and ca.enabled
           ) as can_be_reached
    from dead d
    join alert a on a.alert_id = d.alert_id
    left join contact c on c.contact_id = d.contact_id
),
judged as (
    select d.*,
           case
               when d.unless_taken and d.alert_status <> 'firing' then 'the alert is ' || d.alert_status
               when d.can_be_reached and (d.present_address is null or row_number() over (
                   partition by d.alert_id, d.kind, d.sequence, d.channel, d.present_address
                   order by d.present_address <> d.address, d.notification_id
               ) > 1) then d.contact || ' has a notification of it at the present address already'
           end as needless,
           case
               when d.contact is null then 'its contact is gone'
               when not d.can_be_reached then format('%s has no %s address that is in use', d.contact, d.channel)
           end as unreachable
    from aimed d
),
tried as (
    update notification n
    set status = 'pending', address = j.present_address, attempts = 0, due_at = clock_timestamp()
    from judged j
    where n.notification_id = j.notification_id and j.needless is null and j.unreachable is null
),
cancelled as (
    update notification n
    set status = 'cancelled', error = j.needless
    from judged j
    where n.notification_id = j.notification_id and j.needless is not null
)
select j.notification_id,
       case
           when j.needless is not null then 'needless'
           when j.unreachable is not null then 'unreachable'
           when j.present_address <> j.address then 'moved'
           else 'same'
       end as outcome,
       coalesce(j.needless, j.unreachable) as reason
from judged j
order by j.notification_id
