-- alert_rule.add
-- Purpose: adds a rule; columns that are not given get the defaults of the table. The trigger refuses an invalid rule.
-- Parameters: $1 its columns, a JSON object.
-- Locks: the rule that it replaces, against deletion.
insert into alert_rule (
    name, kind, enabled, customer_id, org_id, user_id, device_sn, replaces_rule_id, severity, metric, min_value, max_value, levels,
    recovery_min_value, recovery_max_value, combine, conditions, event_type, event_values, recovery_values, silent_seconds, consecutive,
    window_seconds, cooldown_seconds, recovery_count, expire_seconds, late_after_seconds, effective_from,
    effective_until, effective_days, time_zone, message
)
select
    name, kind, enabled, customer_id, org_id, user_id, device_sn, replaces_rule_id, severity, metric, min_value, max_value, levels,
    recovery_min_value, recovery_max_value, combine, conditions, event_type, event_values, recovery_values, silent_seconds, consecutive,
    window_seconds, cooldown_seconds, recovery_count, expire_seconds, late_after_seconds, effective_from,
    effective_until, effective_days, time_zone, message
from jsonb_populate_record(null::alert_rule, vitals.alert_rule_defaults() || $1)
returning to_jsonb(alert_rule) as rule
