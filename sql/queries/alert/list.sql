-- alert.list
-- Purpose: a page of the alerts that match, newest first.
-- Parameters, NULL for "any": $1 statuses, $2 severities, $3 serials, $4 tenant, $5 organisation unit (with its sub-units),
-- $6 wearer, $7 rule, $8 kinds, $9 historical, $10 fired at or after, $11 fired before, $12 unit of the key (with its sub-units); $13 and $14 fired_ts and number of the
-- last alert of the previous page (NULL: start with the newest), $15 most rows.
-- Locks: none.
select to_jsonb(alert) || jsonb_build_object('user_name', app_user.name, 'org_name', org_unit.name, 'room', app_user.room, 'rule_name', alert_rule.name) as alert
from alert
join alert_rule using (rule_id)
left join app_user on app_user.user_id = alert.user_id
left join org_unit on org_unit.org_id = alert.org_id
where ($1::text[] is null or alert.status = any ($1))
  and ($2::text[] is null or alert.severity = any ($2))
  and ($3::text[] is null or alert.device_sn = any ($3))
  and ($4::bigint is null or alert.customer_id = $4)
  and ($5::bigint is null or alert.org_id = $5
      or alert.org_id in (select unit.org_id from org_unit unit where $5 = any (unit.ancestors)))
  and ($6::bigint is null or alert.user_id = $6)
  and ($7::bigint is null or alert.rule_id = $7)
  and ($8::text[] is null or alert.kind = any ($8))
  and ($9::boolean is null or alert.historical = $9)
  and ($10::timestamptz is null or alert.fired_ts >= $10)
  and ($11::timestamptz is null or alert.fired_ts < $11)
  and ($12::bigint is null or alert.org_id = $12
      or alert.org_id in (select org_id from org_unit where $12 = any (ancestors)))
  and ($13::timestamptz is null or (alert.fired_ts, alert.alert_id) < ($13, $14::bigint))
order by alert.fired_ts desc, alert.alert_id desc
limit $15
