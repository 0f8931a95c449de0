-- The lock under which alerts are judged: whoever changes many alerts at once takes it first
-- (pg_advisory_xact_lock), so that a batch is judged either before or after.
-- Locks: none by itself.
create or replace function vitals.alert_turn() returns bigint language sql immutable as $$ select 8243122665316740978 $$;
comment on function vitals.alert_turn() is 'Number of the advisory lock under which alerts are judged.';
