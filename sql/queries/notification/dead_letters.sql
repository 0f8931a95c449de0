-- notification.dead_letters
-- What could not be delivered, oldest first. The key of a robot is as good as a password: only its end is shown.
--   $1 after which number    $2 most rows
-- Locks: none.
select n.notification_id, n.alert_id, a.device_sn, n.kind, n.channel,
       case when n.channel like '%\_robot' then '…' || right(n.address, 4) else n.address end as address,
       c.name as contact, n.created_at, n.attempts, n.error
from notification n
join alert a on a.alert_id = n.alert_id
left join contact c on c.contact_id = n.contact_id
where n.status = 'dead' and n.notification_id > $1
order by n.notification_id
limit $2
