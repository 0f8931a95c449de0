-- The locks of an evaluation follow from outbox.partitions: the bodies are in sql/functions; functions whose parameters change are dropped here.
-- Phase: expand
-- Locks: none.

do $$
declare
    old_function regprocedure;
begin
    for old_function in
        select p.oid::regprocedure
        from pg_proc as p
        where p.pronamespace = 'vitals'::regnamespace and p.proname = any (array['evaluate_alerts', 'lock_alerts'])
    loop
        execute format('drop function %s', old_function);
    end loop;
end
$$;
