-- Actions of people on alerts. HTTP, `vitals alerts` and a DBA in psql use the same functions:
--   select vitals.acknowledge_alert(17, 'nurse Li', 'on my way');
--   select vitals.resolve_alert(17, 'nurse Li', 'sensor was loose');
--   select vitals.note_alert(17, 'nurse Li', 'will look again at noon');
--   select vitals.assign_alert(17, 5, 'nurse Li', 'please take over');      -- to contact 5; NULL: to nobody
-- No such alert: SQLSTATE P0002. An action that is no longer possible: P0001, with the reason. DETAIL: see vitals.refuse().
-- Locks: the row of the alert, then those of notification.

-- Locks an alert for an action of a person, and returns it.
create or replace function vitals.lock_alert(alert_id bigint, actor text) returns alert
language plpgsql
set search_path = pg_catalog, public, pg_temp
as $$
declare
    kept alert;
begin
    if lock_alert.actor is null or lock_alert.actor !~ '\S' then
        perform vitals.refuse(vitals.refusal('alert-actor-missing', 'the name of the person is missing'), 'invalid_parameter_value');
    end if;
    select * into kept from alert where alert.alert_id = lock_alert.alert_id for no key update;
    if not found then
        perform vitals.refuse(vitals.refusal('alert-absent', format('there is no alert %s', lock_alert.alert_id),
            jsonb_build_object('id', lock_alert.alert_id)), 'no_data_found');
    end if;
    return kept;
end
$$;
comment on function vitals.lock_alert(bigint, text) is 'Locks an alert for an action of a person.';

-- Refuses an action on a resolved alert, with the reason.
create or replace function vitals.refuse_resolved_alert(kept alert) returns void
language plpgsql
set search_path = pg_catalog, public, pg_temp
as $$
declare
    at constant text := to_char(kept.resolved_at at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS"Z"');
begin
    perform vitals.refuse(case
        when kept.resolved_by is null then vitals.refusal('alert-over',
            format('alert %s is already resolved (%s, %s)', kept.alert_id, kept.resolution, at),
            jsonb_build_object('id', kept.alert_id, 'resolution', kept.resolution, 'at', at))
        else vitals.refusal('alert-resolved-by',
            format('alert %s is already resolved (%s, by %s %s)', kept.alert_id, kept.resolution, kept.resolved_by, at),
            jsonb_build_object('id', kept.alert_id, 'resolution', kept.resolution, 'by', kept.resolved_by, 'at', at))
    end, 'raise_exception');
end
$$;
comment on function vitals.refuse_resolved_alert(alert) is 'Refuses an action on a resolved alert.';

-- Records an action, and wakes the instances that publish and notify. NOTIFY serialises commits; actions of people are rare.
create or replace function vitals.record_alert_action(alert_ids bigint[], action text, actor text, note text) returns void
language plpgsql
set search_path = pg_catalog, public, pg_temp
as $$
begin
    insert into alert_action (alert_id, action, actor, note)
    select acted.alert_id, record_alert_action.action, record_alert_action.actor, nullif(btrim(record_alert_action.note), '')
    from unnest(record_alert_action.alert_ids) as acted (alert_id);
    if record_alert_action.action in ('noted', 'unassigned') then
        perform vitals.show_alerts(record_alert_action.alert_ids);
    else
        perform vitals.notify_alerts(record_alert_action.alert_ids, record_alert_action.action);
    end if;
    perform pg_notify('vitals_notification', '');
end
$$;
comment on function vitals.record_alert_action(bigint[], text, text, text) is 'Records an action on alerts, and its notifications.';

-- A person acknowledges the alert. If the same person repeats it, nothing changes; another person gets an error.
create or replace function vitals.acknowledge_alert(alert_id bigint, actor text, note text default null) returns void
language plpgsql
set search_path = pg_catalog, public, pg_temp
as $$
declare
    kept alert := vitals.lock_alert(acknowledge_alert.alert_id, acknowledge_alert.actor);
    at   text;
begin
    if kept.status = 'resolved' then
        perform vitals.refuse_resolved_alert(kept);
    end if;
    if kept.status = 'acknowledged' then
        if kept.acknowledged_by = acknowledge_alert.actor then
            return;
        end if;
        at := to_char(kept.acknowledged_at at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS"Z"');
        perform vitals.refuse(vitals.refusal('alert-acknowledged-by',
            format('alert %s is already acknowledged (by %s %s)', kept.alert_id, kept.acknowledged_by, at),
            jsonb_build_object('id', kept.alert_id, 'by', kept.acknowledged_by, 'at', at)), 'raise_exception');
    end if;
    update alert
    set status = 'acknowledged', acknowledged_at = clock_timestamp(), acknowledged_by = acknowledge_alert.actor,
        updated_at = vitals.next_updated_at(alert.updated_at)
    where alert.alert_id = kept.alert_id;
    perform vitals.record_alert_action(array[kept.alert_id], 'acknowledged', acknowledge_alert.actor, acknowledge_alert.note);
end
$$;
comment on function vitals.acknowledge_alert(bigint, text, text) is
    'A person acknowledges an alert. Repeating it changes nothing.';

-- A person resolves the alert. During the cooldown of its rule, breaches of the device are ignored while the same person wears it. Of an
-- urgent event without a cooldown, those that are known are: whoever raises the alarm after that is heard, whatever the clock of their watch.
create or replace function vitals.resolve_alert(alert_id bigint, actor text, note text default null) returns void
language plpgsql
set search_path = pg_catalog, public, pg_temp
as $$
declare
    kept alert := vitals.lock_alert(resolve_alert.alert_id, resolve_alert.actor);
begin
    if kept.status = 'resolved' then
        perform vitals.refuse_resolved_alert(kept);
    end if;
    update alert
    set status = 'resolved', resolution = 'manual', resolved_at = clock_timestamp(), resolved_by = resolve_alert.actor,
        updated_at = vitals.next_updated_at(alert.updated_at),
        muted_until = (
            select case
                when rule.cooldown_seconds = 0 and rule.kind = 'event' and vitals.is_urgent_event(rule.event_type) then kept.last_ts
                else clock_timestamp() + make_interval(secs => rule.cooldown_seconds)
            end
            from alert_rule rule where rule.rule_id = kept.rule_id)
    where alert.alert_id = kept.alert_id;
    perform vitals.record_alert_action(array[kept.alert_id], 'resolved', resolve_alert.actor, resolve_alert.note);
end
$$;
comment on function vitals.resolve_alert(bigint, text, text) is
    'A person resolves an alert; its rule ignores the device during the cooldown.';

-- A person adds a note to the alert, which may be resolved.
create or replace function vitals.note_alert(alert_id bigint, actor text, note text) returns void
language plpgsql
set search_path = pg_catalog, public, pg_temp
as $$
declare
    kept alert := vitals.lock_alert(note_alert.alert_id, note_alert.actor);
begin
    if note_alert.note is null or note_alert.note !~ '\S' then
        perform vitals.refuse(vitals.refusal('alert-note-empty', 'the note is empty'), 'invalid_parameter_value');
    end if;
    update alert set updated_at = vitals.next_updated_at(alert.updated_at) where alert.alert_id = kept.alert_id;
    perform vitals.record_alert_action(array[kept.alert_id], 'noted', note_alert.actor, note_alert.note);
end
$$;
comment on function vitals.note_alert(bigint, text, text) is 'A person adds a note to an alert, open or not.';

-- Whether a contact belongs to a tenant and, if a unit is named, to that unit or its sub-units: manages one or has shifts there, is a user
-- there, or is named by a route that is for one of them, for the whole tenant or for everybody. Everybody belongs to alerts without a tenant.
create or replace function vitals.is_contact_within(contact_id bigint, customer_id bigint, org_id bigint) returns boolean
language sql
stable
set search_path = pg_catalog, public, pg_temp
as $$
    with unit as (
        select o.org_id
        from org_unit o
        where o.customer_id = is_contact_within.customer_id
          and (
              is_contact_within.org_id is null or o.org_id = is_contact_within.org_id or is_contact_within.org_id = any (o.ancestors)
          )
    )
    select is_contact_within.customer_id is null
        or exists (
            select from org_manager g
            where g.contact_id = is_contact_within.contact_id and g.org_id in (select org_id from unit)
        )
        or exists (
            select from shift s
            where s.contact_id = is_contact_within.contact_id
              and (
                  s.org_id in (select org_id from unit)
                  or is_contact_within.org_id is null and s.customer_id = is_contact_within.customer_id
              )
        )
        or exists (
            select from contact c join app_user u on u.user_id = c.user_id
            where c.contact_id = is_contact_within.contact_id and u.org_id in (select org_id from unit)
        )
        or exists (
            select from notification_route r
            where r.contact_id = is_contact_within.contact_id
              and (r.customer_id is null or r.customer_id = is_contact_within.customer_id)
              and (r.org_id is null or r.org_id in (select org_id from unit))
        )
$$;
comment on function vitals.is_contact_within(bigint, bigint, bigint) is 'Whether alerts of a tenant, or of one of its units, may be assigned to a contact.';

-- A person assigns the alert to a contact, who is notified; NULL: to nobody. Assigning does not acknowledge. Repeating it changes nothing.
create or replace function vitals.assign_alert(alert_id bigint, contact_id bigint, actor text, note text default null) returns void
language plpgsql
set search_path = pg_catalog, public, pg_temp
as $$
declare
    kept     alert := vitals.lock_alert(assign_alert.alert_id, assign_alert.actor);
    assignee text;
begin
    if kept.status = 'resolved' then
        perform vitals.refuse_resolved_alert(kept);
    end if;
    if kept.assigned_to is not distinct from assign_alert.contact_id then
        return;
    end if;
    if assign_alert.contact_id is not null then
        select c.name into assignee from contact c where c.contact_id = assign_alert.contact_id;
        if not found then
            perform vitals.refuse(vitals.refusal('contact-absent', format('there is no contact %s', assign_alert.contact_id),
                jsonb_build_object('id', assign_alert.contact_id)), 'invalid_parameter_value');
        end if;
        if not vitals.is_contact_within(assign_alert.contact_id, kept.customer_id, null) then
            perform vitals.refuse(vitals.refusal('contact-of-another-tenant',
                format('contact %s has no unit, shift, user or route in tenant %s', assign_alert.contact_id, kept.customer_id),
                jsonb_build_object('id', assign_alert.contact_id, 'tenant', kept.customer_id)), 'invalid_parameter_value');
        end if;
    end if;
    update alert
    set assigned_to = assign_alert.contact_id, assigned_at = clock_timestamp(), assigned_by = assign_alert.actor,
        updated_at = vitals.next_updated_at(alert.updated_at)
    where alert.alert_id = kept.alert_id;
    perform vitals.record_alert_action(
        array[kept.alert_id], case when assignee is null then 'unassigned' else 'assigned' end, assign_alert.actor,
        concat_ws(': ', assignee, nullif(btrim(assign_alert.note), ''))
    );
end
$$;
comment on function vitals.assign_alert(bigint, bigint, text, text) is
    'A person assigns an alert to a contact, who is notified; NULL: to nobody. Repeating it changes nothing.';

-- A rule changed: its version is recorded. The alerts of a rule that was disabled are resolved after the commit by
-- resolve_alerts_of_disabled_rules: a transaction that holds a rule open must hold up neither alerts nor their evaluation, which goes
-- by the committed text of the rule. The notification wakes the sweep.
create or replace function vitals.alert_rule_changed() returns trigger
language plpgsql
set search_path = pg_catalog, public, pg_temp
as $$
begin
    insert into alert_rule_version (rule_id, version, changed_at, changed_by, rule)
    values (new.rule_id, new.version, new.changed_at, new.changed_by, to_jsonb(new))
    on conflict do nothing;
    if tg_op = 'UPDATE' and old.enabled and not new.enabled or new.replaces_rule_id is not null then
        perform pg_notify('vitals_alert_rule', '');
    end if;
    return null;
end
$$;
comment on function vitals.alert_rule_changed() is 'Row trigger: records every version of a rule, and wakes the sweep when one is disabled or replaces another.';

-- Resolves open alerts of rules that are disabled, or in whose place another rule applies to the device by now, in the name of whoever changed
-- the rule last: at most 1000 at a time.
-- Returns whether there is anything to publish or send.
-- Locks: those of alert_locks.sql for their devices, so that no batch that is evaluated at the same time overwrites it; the alerts.
create or replace function vitals.resolve_alerts_of_disabled_rules() returns boolean
language plpgsql
set search_path = pg_catalog, public, pg_temp
as $$
declare
    over    record;
    ended   record;
    is_any  boolean := false;
begin
    select array_agg(o.alert_id) as alert_ids, array_agg(o.device_sn) as device_sns into over
    from (
        select a.alert_id, a.device_sn
        from alert a join alert_rule r using (rule_id)
        where a.status <> 'resolved' and (not r.enabled or vitals.replaced_by(r, a) is not null)
        limit 1000
    ) as o;
    if over.alert_ids is null then
        return false;
    end if;
    perform vitals.lock_alerts(over.device_sns);
    perform vitals.lock_event_alerts(over.device_sns);
    for ended in
        with resolved as (
            update alert a
            set status = 'resolved', resolution = 'rule_disabled', resolved_at = clock_timestamp(), resolved_by = n.actor,
                updated_at = vitals.next_updated_at(a.updated_at)
            from (
                select b.alert_id, r.enabled, case when r.enabled then vitals.replaced_by(r, b) else r.changed_by end as actor
                from alert b join alert_rule r using (rule_id)
                where b.alert_id = any (over.alert_ids)
            ) as n
            where n.alert_id = a.alert_id and a.status <> 'resolved' and n.actor is not null
            returning a.alert_id, a.resolved_by, case when n.enabled then 'another rule replaces it' else 'the rule was disabled' end as note
        )
        select array_agg(alert_id order by alert_id) as alert_ids, resolved_by, note from resolved group by resolved_by, note
    loop
        perform vitals.record_alert_action(ended.alert_ids, 'resolved', ended.resolved_by, ended.note);
        is_any := true;
    end loop;
    return is_any;
end
$$;
comment on function vitals.resolve_alerts_of_disabled_rules() is 'Resolves open alerts of rules that are disabled or replaced. Called by the sweep.';
