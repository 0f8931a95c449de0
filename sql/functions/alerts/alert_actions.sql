-- Actions of people on alerts. HTTP, `vitals alerts` and a DBA in psql use the same functions:
--   select vitals.acknowledge_alert(17, 'nurse Li', 'on my way');
--   select vitals.resolve_alert(17, 'nurse Li', 'sensor was loose');
--   select vitals.note_alert(17, 'nurse Li', 'will look again at noon');
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
    if record_alert_action.action = 'noted' then
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

-- A person resolves the alert. During the cooldown of its rule, breaches of the device are ignored.
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
        muted_until = clock_timestamp() + (
            select make_interval(secs => rule.cooldown_seconds) from alert_rule rule where rule.rule_id = kept.rule_id)
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

-- Resolves the open alerts of a rule that was disabled. Called by the trigger of alert_rule.
-- Locks: vitals.alert_eval_lock(), so that no batch that is evaluated at the same time leaves one open; then the alerts.
create or replace function vitals.resolve_alerts_of_rule(rule_id bigint) returns void
language plpgsql
set search_path = pg_catalog, public, pg_temp
as $$
declare
    actor text := coalesce(nullif(current_setting('vitals.actor', true), ''), current_user);
    ended bigint[];
begin
    perform pg_advisory_xact_lock(vitals.alert_eval_lock());
    perform from alert
    where alert.rule_id = resolve_alerts_of_rule.rule_id and alert.status <> 'resolved'
    order by alert.alert_id
    for no key update;
    with over as (
        update alert
        set status = 'resolved', resolution = 'rule_disabled', resolved_at = clock_timestamp(), resolved_by = actor,
            updated_at = vitals.next_updated_at(alert.updated_at)
        where alert.rule_id = resolve_alerts_of_rule.rule_id and alert.status <> 'resolved'
        returning alert.alert_id
    )
    select array_agg(over.alert_id order by over.alert_id) into ended from over;
    if ended is not null then
        perform vitals.record_alert_action(ended, 'resolved', actor, 'the rule was disabled');
    end if;
end
$$;
comment on function vitals.resolve_alerts_of_rule(bigint) is 'Resolves the open alerts of a rule that was disabled.';
