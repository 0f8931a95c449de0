-- alert_replay.stored
-- Purpose: the stored alerts that a rule has raised for these devices.
-- Parameters: $1 number of the rule, $2 serials, $3 from, $4 to (exclusive), $5 tenant (NULL: any).
-- Locks: none.
select device_sn, started_ts, fired_ts, last_ts, ended_ts, breach_count, historical, peak_severity
from alert
where rule_id = $1
  and device_sn = any ($2)
  and fired_ts >= $3
  and fired_ts < $4
  and ($5::bigint is null or customer_id = $5)
  and resolution is distinct from 'retracted'
order by device_sn, fired_ts
