-- alert_sweep.sweep
-- Judges silence and lets alerts expire; told: there are new rows of notification.
-- Locks: its own advisory lock, so that one instance sweeps at a time (another does: false); those of sweep_alerts.sql.
select case when pg_try_advisory_xact_lock(vitals.alert_eval_lock() + 1)
    -- Both are called, whatever the first says. Silence first: it looks for long, and must not hold the turn meanwhile.
    then (vitals.evaluate_silence()::integer + vitals.expire_alerts()::integer) > 0 else false end as told
