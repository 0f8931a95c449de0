-- alert.summary
-- Purpose: the number of alerts that match, by status and severity.
-- Parameters, NULL for "any": $1 statuses, $2 severities, $3 serials, $4 tenant, $5 organisation unit (with its sub-units),
-- $6 wearer, $7 rule, $8 kinds, $9 historical, $10 fired at or after, $11 fired before,
-- $12 unit of the key (with its sub-units).
-- Locks: none.
select status, severity, count(*) as alerts
from alert
where ($1::text[] is null or status = any ($1))
  and ($2::text[] is null or severity = any ($2))
  and ($3::text[] is null or device_sn = any ($3))
  and ($4::bigint is null or customer_id = $4)
  and ($5::bigint is null or org_id = $5 or org_id in (select org_id from org_unit where $5 = any (ancestors)))
  and ($6::bigint is null or user_id = $6)
  and ($7::bigint is null or rule_id = $7)
  and ($8::text[] is null or kind = any ($8))
  and ($9::boolean is null or historical = $9)
  and ($10::timestamptz is null or fired_ts >= $10)
  and ($11::timestamptz is null or fired_ts < $11)
  and ($12::bigint is null or org_id = $12 or org_id in (select org_id from org_unit where $12 = any (ancestors)))
group by status, severity
order by
    array_position('{firing,acknowledged,resolved}'::text[], status),
    array_position('{critical,major,minor,info}'::text[], severity)
