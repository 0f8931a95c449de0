-- alert_sweep.resolve_disabled
-- Purpose: resolves open alerts of disabled rules, at most 1000; is_any: there were some.
-- Locks: those of vitals.resolve_alerts_of_disabled_rules.
select vitals.resolve_alerts_of_disabled_rules() as is_any
