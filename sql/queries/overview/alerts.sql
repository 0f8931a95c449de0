-- overview.alerts
-- Purpose: the alerts of a fleet, compared with those that the rules of now make of its rows. Alerts about silence depend on the time of
-- the question, so they are left out.
-- Parameters: $1 serials, $2 from when on the rows are.
-- Locks: none.
with expected as (
    select d.device_sn, r.rule_id, d.started_ts, d.fired_ts, d.last_ts, d.breach_count
    from alert_rule r
    cross join lateral vitals.replay_rule(r, $1::text[], $2::timestamptz, now() + interval '1 day') as d
    where r.enabled and r.kind <> 'silence'
), raised as (
    select device_sn, rule_id, started_ts, fired_ts, last_ts, breach_count
    from alert
    where device_sn = any ($1::text[])
      and started_ts >= $2::timestamptz
      and rule_id in (select rule_id from alert_rule where enabled and kind <> 'silence')
      and resolution is distinct from 'retracted'
)
select
    (select count(*) from raised)   as raised,
    (select count(*) from expected) as expected,
    (select count(*) from (select * from expected except all select * from raised) as m) as missing,
    (select count(*) from (select * from raised except all select * from expected) as u) as unexpected
