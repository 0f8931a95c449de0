-- Key of the advisory lock under which alerts are judged: one transaction at a time, until its commit. Judging looks at
-- what is stored and at the alerts that are open; two at once would each miss what the other has not committed yet.
-- Whoever changes many alerts takes it first, so that nobody waits crosswise. The two numbers after it are locks of the like: + 1, one
-- sweep at a time (sql/queries/alert_sweep); + 2, batches in which nothing breaches (evaluate_alerts).
create or replace function vitals.alert_eval_lock() returns bigint
language sql immutable
as $$ select 8243122665316740978 $$;
comment on function vitals.alert_eval_lock() is 'Key of the advisory lock of whoever judges alerts.';
