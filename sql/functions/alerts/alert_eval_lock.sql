-- Key of the advisory lock under which alerts are evaluated: by one transaction at a time, until its commit. The evaluation reads stored
-- rows and open alerts; two at the same time would each miss what the other has not committed yet.
-- A transaction that changes many alerts takes the lock first, so that no deadlock occurs. The next two numbers are keys of similar
-- locks: + 1, one sweep at a time (sql/queries/alert_sweep); + 2, batches without a breach (evaluate_alerts).
create or replace function vitals.alert_eval_lock() returns bigint
language sql immutable
as $$ select 8243122665316740978 $$;
comment on function vitals.alert_eval_lock() is 'Key of the advisory lock for the evaluation of alerts.';
