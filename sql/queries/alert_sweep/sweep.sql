-- alert_sweep.sweep
-- Evaluates silence, lets alerts expire, and resolves the alerts of disabled rules; notified: there are new rows of notification.
-- Locks: its own advisory lock, so that one instance sweeps at a time (another one does nothing: false); those of sweep_alerts.sql.
select case when pg_try_advisory_xact_lock(vitals.alert_lock(), -1)
    -- All are called, whatever the first returns. Silence first: it reads for long, and no lock is held meanwhile.
    then (
        vitals.evaluate_silence()::integer + vitals.expire_alerts()::integer + vitals.resolve_alerts_of_disabled_rules()::integer
    ) > 0 else false end as notified
