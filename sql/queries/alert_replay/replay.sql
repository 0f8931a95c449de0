-- alert_replay.replay
-- Purpose: the alerts that a rule would have raised for these devices.
-- Parameters: $1 the rule, a JSON object with all its columns, $2 serials, $3 from, $4 to (exclusive).
-- Locks: none; it changes nothing.
select device_sn, started_ts, fired_ts, last_ts, ended_ts, breach_count, historical, peak_severity
from vitals.replay_rule(jsonb_populate_record(null::alert_rule, $1), $2, $3, $4)
order by device_sn, fired_ts
