-- alert_sweep.sweep
-- Purpose: evaluates the silence rules and lets alerts expire. has_notifications: there are new rows of notification.
-- Locks: its own advisory lock, so that one instance sweeps at a time (false: another one does); those of sweep_alerts.sql.
select case when pg_try_advisory_xact_lock(vitals.alert_eval_lock() + 1)
    -- Both functions are called, whatever the first returns. Silence comes first, because it reads for a long time and must not hold
    -- the lock of alert evaluation meanwhile.
    then (vitals.evaluate_silence()::integer + vitals.expire_alerts()::integer) > 0 else false end as has_notifications
