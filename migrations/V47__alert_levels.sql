-- Rules with levels, and rules for a unit, a person or a device. The four seeded rules of heart rate and oxygen saturation become two
-- with a level each, where nobody has changed them or built on them; their open alerts continue in one alert per device.
-- Locks: alert, alert_action and alert_rule against readers and writers until commit; every alert is written once (about 10 s for a
-- million alerts).

-- They are made again by sql/functions, with other parameters or another result.
do $$
declare
    old_function regprocedure;
begin
    for old_function in
        select p.oid::regprocedure
        from pg_proc as p
        where p.pronamespace = 'vitals'::regnamespace
          and p.proname = any (array['bounds_in_force', 'derive_alerts', 'extend_alerts', 'replay_rule'])
    loop
        execute format('drop function %s', old_function);
    end loop;
end
$$;

-- For whom a rule is. Here already, because an index needs it; sql/functions/alerts/rule_scope.sql has it, too.
create function vitals.rule_scope(customer_id bigint, org_id bigint, user_id bigint, device_sn text) returns text
language sql immutable parallel safe
as $$
    select case
        when device_sn is not null then 'device ' || device_sn
        when user_id is not null then 'person ' || user_id::text
        when org_id is not null then 'unit ' || org_id::text
        when customer_id is not null then 'tenant ' || customer_id::text
        else 'everybody'
    end
$$;
comment on function vitals.rule_scope(bigint, bigint, bigint, text) is 'For whom a rule is, as one word of vitals.row_scopes().';

-- The functions of the release before do not know the new columns.
alter table alert_rule disable trigger user;

alter table alert_rule
    add column org_id    bigint,
    add column user_id   bigint,
    add column device_sn text collate "C",
    add column levels    jsonb,
    add constraint alert_rule_scope_check check (num_nonnulls(customer_id, org_id, user_id, device_sn) <= 1);
comment on table alert_rule is 'What raises an alert. A change is in force from the next batch on, in every instance; an invalid rule is refused with the reason.';
comment on column alert_rule.customer_id      is 'Tenant whose samples it evaluates. NULL, with org_id, user_id and device_sn: all samples.';
comment on column alert_rule.org_id           is 'Organisation unit whose samples it evaluates, with those of its sub-units. NULL: it is not a rule of a unit.';
comment on column alert_rule.user_id          is 'Wearer whose samples it evaluates. NULL: it is not a rule of a person.';
comment on column alert_rule.device_sn        is 'Device whose samples it evaluates. NULL: it is not a rule of a device.';
comment on column alert_rule.replaces_rule_id is 'Rule for everybody in whose place this one is applied to its tenant, unit, person or device. Of several the narrowest counts: device, person, the nearest unit, tenant; whether it is enabled or not. NULL: it is applied in addition.';
comment on column alert_rule.severity         is 'critical, major, minor or info; of a rule with levels, that of its lowest level.';
comment on column alert_rule.levels           is 'Graver levels, lowest first: an array of {severity, min, max}, each graver than the one before and with bounds at or outside its bounds. While readings lie outside the bounds of a level, the alert has its severity. NULL: the severity does not change.';

drop index alert_rule_replaces_key;
-- Also finds the rules that replace one for given scopes.
create unique index alert_rule_replaces_key
    on alert_rule (replaces_rule_id, vitals.rule_scope(customer_id, org_id, user_id, device_sn)) where replaces_rule_id is not null;

alter table alert add column peak_severity text;
update alert set peak_severity = severity;
alter table alert
    alter column peak_severity set not null,
    add constraint alert_peak_severity_check check (
        array_position(array['info', 'minor', 'major', 'critical'], peak_severity)
            >= array_position(array['info', 'minor', 'major', 'critical'], severity)
    );
-- Whoever writes an alert by hand need not name it.
create function vitals.alert_peak_severity() returns trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    new.peak_severity := new.severity;
    return new;
end
$$;
comment on function vitals.alert_peak_severity() is 'Row trigger: the peak severity of an alert is at least its severity.';
create trigger alert_peak_severity
    before insert or update of severity, peak_severity on alert
    for each row when (
        array_position(array['info', 'minor', 'major', 'critical'], new.severity)
            > coalesce(array_position(array['info', 'minor', 'major', 'critical'], new.peak_severity), 0)
    )
    execute function vitals.alert_peak_severity();
comment on column alert.severity      is 'critical, major, minor or info: now, or when it ended.';
comment on column alert.peak_severity is 'The gravest severity that it has had.';

alter table alert_action
    add column severity text,
    add column event_ts timestamptz,
    add constraint alert_action_severity_check check (severity in ('critical', 'major', 'minor', 'info')),
    drop constraint alert_action_action_check,
    add constraint alert_action_action_check check (
        action in ('fired', 'raised', 'lowered', 'reopened', 'acknowledged', 'resolved', 'retracted', 'silenced', 'escalated', 'noted')
    );
comment on column alert_action.action   is 'fired, raised and lowered (its severity), reopened, acknowledged, resolved, retracted, silenced (nobody was notified because of a silence), escalated, noted.';
comment on column alert_action.severity is 'Severity of the alert from then on. NULL: the action is neither fired, raised nor lowered.';
comment on column alert_action.event_ts is 'Event time of the reading at which the severity rose or fell. NULL: the action is neither raised nor lowered.';

alter type vitals.alert_changes add attribute raised bigint[];
comment on type vitals.alert_changes is 'Alerts that changed in any way; those of them that fired; those that ended; those whose severity rose.';

-- How many levels above the lowest an alert has. NULL: its rule has no levels.
alter type vitals.derived_alert add attribute fired_level integer;
alter type vitals.derived_alert add attribute level integer;
alter type vitals.derived_alert add attribute peak_level integer;
alter type vitals.derived_alert add attribute level_values integer[];
alter type vitals.derived_alert add attribute level_ts timestamptz[];
alter type vitals.derived_alert add attribute level_late boolean[];
comment on type vitals.derived_alert is 'What the stored rows say of an alert of a pair (ord); seq 0 is the alert before the rows that were evaluated. level_values, level_ts and level_late are the changes of its level, in order.';

create type vitals.alert_subject as (
    alert_id    bigint,
    rule_id     bigint,
    customer_id bigint,
    org_id      bigint,
    user_id     bigint,
    severity    text,
    status      text,
    assigned_to bigint,
    at_ts       timestamptz
);
comment on type vitals.alert_subject is 'An alert, which need not exist, as who is notified of it at a time (at_ts) depends on it.';

do $$
declare
    -- Where no rule ever raised an alert, as in a new database, the rules look as if they had always been like this.
    is_used constant boolean := exists (select from alert);
    seeded  record;
    low     alert_rule;
    high    alert_rule;
begin
    for seeded in
        select *
        from (values
            ('heart_rate', 'Heart rate out of range', 'minor', 50, 120, '{wearer}: heart rate {value}/min (normal {min} to {max}) at {time}',
             'Heart rate far out of range', 'major', 40, 140, '{wearer}: heart rate {value}/min (limits {min} and {max}) at {time}'),
            ('blood_oxygen', 'Oxygen saturation low', 'major', 90, null, '{wearer}: oxygen saturation {value} % (below {min} %) at {time}',
             'Oxygen saturation very low', 'critical', 85, null, '{wearer}: oxygen saturation {value} % (below {min} %) at {time}')
        ) as s (metric, low_name, low_severity, low_min, low_max, low_message, high_name, high_severity, high_min, high_max, high_message)
    loop
        select r.* into low from alert_rule r
        where (r.name, r.severity, r.min_value, r.max_value, r.message)
                is not distinct from (seeded.low_name, seeded.low_severity, seeded.low_min, seeded.low_max, seeded.low_message)
          and (r.kind, r.metric, r.enabled, r.consecutive, r.window_seconds, r.cooldown_seconds, r.recovery_count, r.late_after_seconds)
                = ('threshold', seeded.metric, true, 1, 600, 300, 3, 900)
          and num_nonnulls(r.customer_id, r.replaces_rule_id, r.recovery_min_value, r.recovery_max_value, r.expire_seconds,
                r.effective_from, r.effective_days, r.time_zone) = 0;
        select r.* into high from alert_rule r
        where (r.name, r.severity, r.min_value, r.max_value, r.message)
                is not distinct from (seeded.high_name, seeded.high_severity, seeded.high_min, seeded.high_max, seeded.high_message)
          and (r.kind, r.metric, r.enabled, r.consecutive, r.window_seconds, r.cooldown_seconds, r.recovery_count, r.late_after_seconds)
                = ('threshold', seeded.metric, true, 1, 600, 300, 3, 900)
          and num_nonnulls(r.customer_id, r.replaces_rule_id, r.recovery_min_value, r.recovery_max_value, r.expire_seconds,
                r.effective_from, r.effective_days, r.time_zone) = 0;
        continue when low.rule_id is null or high.rule_id is null
            or exists (select from alert_rule q where q.replaces_rule_id in (low.rule_id, high.rule_id))
            or exists (select from notification_route n where n.rule_id in (low.rule_id, high.rule_id))
            or exists (select from alert_silence s where s.rule_id in (low.rule_id, high.rule_id) and s.ends_at > now());

        update alert_rule r
        set levels = jsonb_build_array(jsonb_strip_nulls(jsonb_build_object(
                'severity', seeded.high_severity, 'min', seeded.high_min, 'max', seeded.high_max))),
            version = r.version + is_used::integer,
            changed_at = case when is_used then now() else r.changed_at end,
            changed_by = case when is_used then 'vitals migrate' else r.changed_by end
        where r.rule_id = low.rule_id
        returning r.* into low;

        -- An open alert of the graver rule says that the level is on. It continues in the alert of the other rule, or becomes one of it.
        with carried as (
            update alert a
            set severity = b.severity, peak_severity = b.severity, historical = a.historical and b.historical, status = b.status,
                acknowledged_at = b.acknowledged_at, acknowledged_by = b.acknowledged_by,
                updated_at = greatest(clock_timestamp(), a.updated_at + interval '1 microsecond')
            from alert b
            where a.rule_id = low.rule_id and b.rule_id = high.rule_id and a.device_sn = b.device_sn
              and a.status <> 'resolved' and b.status <> 'resolved'
            returning a.alert_id, b.alert_id as former_id, a.severity, b.fired_ts
        ), ended as (
            update alert a
            set status = 'resolved', resolution = 'rule_disabled', resolved_at = clock_timestamp(), resolved_by = 'vitals migrate',
                updated_at = greatest(clock_timestamp(), a.updated_at + interval '1 microsecond')
            from carried c
            where a.alert_id = c.former_id
        ), awaited as (
            -- Escalations that are still to come.
            update notification n
            set alert_id = c.alert_id
            from carried c
            where n.alert_id = c.former_id and n.status = 'pending' and n.message_id is null
              and not exists (
                  select from notification o
                  where o.alert_id = c.alert_id and o.kind = n.kind and o.channel = n.channel and o.address = n.address
              )
        ), acted as (
            insert into alert_action (alert_id, action, actor, note, severity, event_ts)
            select c.alert_id, 'raised', 'vitals migrate', 'alert ' || c.former_id || ' continues in this one', c.severity, c.fired_ts
            from carried c
            union all
            select c.former_id, 'resolved', 'vitals migrate', 'it continues in alert ' || c.alert_id, null, null
            from carried c
        )
        insert into vitals.alert_change (alert_id, device_sn)
        select a.alert_id, a.device_sn from alert a join carried c on a.alert_id in (c.alert_id, c.former_id);

        with moved as (
            update alert a
            set rule_id = low.rule_id, rule_version = low.version,
                updated_at = greatest(clock_timestamp(), a.updated_at + interval '1 microsecond')
            where a.rule_id = high.rule_id and a.status <> 'resolved'
            returning a.alert_id, a.device_sn
        ), acted as (
            insert into alert_action (alert_id, action, actor, note)
            select m.alert_id, 'noted', 'vitals migrate', format('rule %s is now a level of rule %s', high.rule_id, low.rule_id) from moved m
        )
        insert into vitals.alert_change (alert_id, device_sn) select m.alert_id, m.device_sn from moved m;

        -- The alerts that it raised keep the rule.
        if exists (select from alert a where a.rule_id = high.rule_id) then
            update alert_rule r
            set enabled = false, version = r.version + 1, changed_at = now(), changed_by = 'vitals migrate'
            where r.rule_id = high.rule_id;
        else
            delete from alert_rule r where r.rule_id = high.rule_id;
            if not is_used then
                delete from alert_rule_version v where v.rule_id = high.rule_id;
            end if;
        end if;
    end loop;
end
$$;

-- The versions of the rules that changed.
insert into alert_rule_version (rule_id, version, changed_at, changed_by, rule)
select r.rule_id, r.version, r.changed_at, r.changed_by, to_jsonb(r)
from alert_rule r
where r.levels is not null or r.changed_by = 'vitals migrate' and r.changed_at = now()
on conflict (rule_id, version) do update set rule = excluded.rule;

alter table alert_rule enable trigger user;
