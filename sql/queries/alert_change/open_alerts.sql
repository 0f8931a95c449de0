-- alert_change.open_alerts
-- A page of the alerts that are open, in the order of alert_open_key, for a rebuild of the view.
--   $1, $2, $3 device, rule and number of the alert after which the page begins    $4 most rows
-- Locks: none.
select a.alert_id, a.device_sn, a.rule_id, to_jsonb(a) as alert, r.name as rule, u.name as user_name
from alert a
join alert_rule r on r.rule_id = a.rule_id
left join app_user u on u.user_id = a.user_id
where a.status <> 'resolved' and (a.device_sn, a.rule_id, a.alert_id) > ($1, $2, $3)
order by a.device_sn, a.rule_id, a.alert_id
limit $4
