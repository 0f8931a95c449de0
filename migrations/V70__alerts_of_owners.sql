-- An alert is of a rule, a device and its owner (tenant, unit and person): readings of the next person who wears the device end it
-- and raise one of their own. The bodies are in sql/functions; functions whose parameters change are dropped here.
-- Phase: expand
-- Locks: alert exclusively, for a moment.

create type vitals.owner as (
    customer_id bigint,
    org_id      bigint,
    user_id     bigint
);
comment on type vitals.owner is 'Tenant, organisation unit and person to whom a row belongs; NULL: not known.';

alter type vitals.alert_pairs add attribute owners vitals.owner[];
comment on type vitals.alert_pairs is 'Pairs of a rule and a device with its owner, with the time range of the rows that may have changed their alerts.';

do $$
declare
    old_function regprocedure;
begin
    for old_function in
        select p.oid::regprocedure
        from pg_proc as p
        where p.pronamespace = 'vitals'::regnamespace and p.proname = any (array[
            'conditions_hold', 'derive_alerts', 'ends_without_alert', 'extend_alerts', 'is_breach', 'peak_of_run', 'rebuild_alerts',
            'rebuild_range', 'reconcile_alerts', 'rule_readings'
        ])
    loop
        execute format('drop function %s', old_function);
    end loop;
end
$$;

-- V71 builds it anew, with the owner.
drop index alert_open_key;

comment on column alert.muted_until is 'After a person resolved the alert: until when the rule ignores breaches of the device while it has the same owner. NULL: no person resolved it.';
comment on column alert.customer_id is 'Tenant of its rows. With org_id and user_id: rows of another owner belong to another alert.';
