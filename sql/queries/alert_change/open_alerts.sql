-- alert_change.open_alerts
-- A page of the alerts that are open, by device and rule (alert_open_key), for a rebuild of the view.
--   $1, $2 device and rule after which the page begins    $3 most rows
-- Locks: none.
select a.alert_id, a.device_sn, a.rule_id, to_jsonb(a) as alert, r.name as rule, u.name as user_name
from alert a
join alert_rule r on r.rule_id = a.rule_id
left join app_user u on u.user_id = a.user_id
where a.status <> 'resolved' and (a.device_sn, a.rule_id) > ($1, $2)
order by a.device_sn, a.rule_id
limit $3
