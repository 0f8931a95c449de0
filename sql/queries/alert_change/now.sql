-- alert_change.now
-- Alerts as they are now; one that is gone has no state.
--   $1 their numbers    $2 the devices they are shown at
-- Locks: none.
select s.alert_id, s.device_sn, to_jsonb(a) as alert, r.name as rule, u.name as user_name
from unnest($1::bigint[], $2::text[]) as s (alert_id, device_sn)
left join alert a on a.alert_id = s.alert_id and a.device_sn = s.device_sn
left join alert_rule r on r.rule_id = a.rule_id
left join app_user u on u.user_id = a.user_id
