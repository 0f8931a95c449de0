-- alert_sweep.sweep
-- Purpose: evaluates the silence rules, lets alerts expire, and resolves the alerts of disabled rules. notified: there are new rows of
-- notification.
-- Locks: its own advisory lock, so that one instance sweeps at a time (false: another one does); those of sweep_alerts.sql.
select case when pg_try_advisory_xact_lock(vitals.alert_lock(), -1)
    -- All functions are called, whatever the first returns. Silence comes first, because it reads for a long time and no lock is held
    -- meanwhile.
    then (
        vitals.evaluate_silence()::integer + vitals.expire_alerts()::integer + vitals.resolve_alerts_of_disabled_rules()::integer
    ) > 0 else false end as notified
