-- Who is notified of alerts, and which alerts are published to Redis: rows of notification and vitals.alert_change, in the transaction
-- that changes the alerts. Called by the evaluation and by the actions of people.
-- Locks: new rows only; it never waits for a sender.

-- Any change of these alerts: they are published to Redis again. Returns whether there are any.
create or replace function vitals.show_alerts(alert_ids bigint[]) returns boolean
language plpgsql
set search_path = pg_catalog, public, pg_temp
as $$
begin
    insert into vitals.alert_change (alert_id, device_sn)
    select a.alert_id, a.device_sn
    from alert a
    where a.alert_id = any (show_alerts.alert_ids);
    return found;
end
$$;
comment on function vitals.show_alerts(bigint[]) is 'Records that these alerts changed, so that they are published to Redis again. Returns whether there are any.';

-- The traceparent of the batch with the newest row of an alert, if finish_batches has set it.
create or replace function vitals.trace_of_alert(alert_id bigint) returns text
language plpgsql
stable
set search_path = pg_catalog, public, pg_temp
as $$
declare
    traces constant text := nullif(current_setting('vitals.traces', true), '');
    found  text;
begin
    if traces is null then
        return null;
    end if;
    select traces::jsonb ->> h.batch_id::text into found
    from alert a
    join health_data h on h.device_sn = a.device_sn and h.ts = a.last_ts
    where a.alert_id = trace_of_alert.alert_id;
    if found is null then
        select traces::jsonb ->> e.batch_id::text into found
        from alert a
        join device_event e on e.device_sn = a.device_sn and e.ts = a.last_ts
        where a.alert_id = trace_of_alert.alert_id and traces::jsonb ? e.batch_id::text
        limit 1;
    end if;
    return found;
end
$$;
comment on function vitals.trace_of_alert(bigint) is 'The traceparent of the batch with the newest row of an alert, in the transaction that evaluates it. NULL: it is not traced.';

-- The alerts of `alert_ids` that are not historical and not silenced now. Each silenced alert gets an entry in its history if it fires.
create or replace function vitals.alerts_to_notify(alert_ids bigint[], kind text) returns bigint[]
language plpgsql
set search_path = pg_catalog, public, pg_temp
as $$
declare
    live bigint[];
begin
    select array_agg(a.alert_id) into live
    from alert a
    where a.alert_id = any (alerts_to_notify.alert_ids) and not a.historical;
    if not exists (select from alert_silence where ends_at > clock_timestamp()) then
        return live;
    end if;
    with silenced as (
        select s.alert_id, s.actor, s.note from vitals.silenced_alerts(live) s
    ),
    recorded as (
        insert into alert_action (alert_id, action, actor, note)
        select s.alert_id, 'silenced', s.actor, s.note
        from silenced s
        where alerts_to_notify.kind = 'fired'
    )
    select array_agg(a.alert_id) into live
    from unnest(live) as a (alert_id)
    where a.alert_id not in (select s.alert_id from silenced s);
    return live;
end
$$;
comment on function vitals.alerts_to_notify(bigint[], text) is 'Those of some alerts of which people are notified now.';

-- The largest sequence of the notifications of an alert of some kinds; 0: there are none.
create or replace function vitals.last_sequence(alert_id bigint, variadic kinds text[]) returns integer
language sql
stable
set search_path = pg_catalog, public, pg_temp
as $$
    select coalesce(max(n.sequence), 0)
    from notification n
    where n.alert_id = last_sequence.alert_id and n.kind = any (last_sequence.kinds)
$$;
comment on function vitals.last_sequence(bigint, text[]) is 'The largest sequence of the notifications of an alert of some kinds; 0: there are none.';

-- Alerts that fired, fired once more, or rose: whoever the routes lead to is notified now, unless the route waits (after_seconds: see
-- notification_steps.sql).
-- A notification of the same address that no attempt was made of yet is brought forward instead of being followed by another one. After
-- an earlier one of the same alert, a further one of kind fired waits until a minute has passed: somebody who presses SOS five times in
-- a minute is heard twice.
create or replace function vitals.notify_at_once(alert_ids bigint[], kind text, moment timestamptz) returns void
language plpgsql
set search_path = pg_catalog, public, pg_temp
as $$
begin
    with receiver as materialized (
        select distinct on (w.alert_id, w.channel, w.address)
            w.alert_id, w.channel, w.address, w.contact_id, w.route_id, w.severity = 'critical' as urgent, w.merge_seconds,
            case
                when w.severity = 'critical' then due.at
                else vitals.after_quiet_hours(due.at, w.quiet_from, w.quiet_until, w.time_zone)
            end as due_at
        from vitals.alert_audience(notify_at_once.alert_ids) w
        cross join lateral (
            select case when notify_at_once.kind = 'fired' then greatest(notify_at_once.moment, max(n.due_at) + interval '1 minute')
                else notify_at_once.moment end as at
            from notification n
            where n.alert_id = w.alert_id and n.channel = w.channel and n.address = w.address and n.kind = 'fired'
              and n.status <> 'cancelled' and n.due_at <= notify_at_once.moment
        ) due
        where (
                w.after_seconds = 0
                -- A step that was reached already.
                or notify_at_once.kind = 'raised' and exists (
                    select from notification n
                    where n.alert_id = w.alert_id and n.channel = w.channel and n.address = w.address and n.kind in ('escalated', 'repeated')
                      -- An escalation of a version before 0.2.0 has its row before it is due.
                      and n.due_at <= notify_at_once.moment
                )
            )
          -- Whoever is on duty at the end of the quiet hours: a step.
          and not (
              w.audience = 'on_duty' and w.severity <> 'critical'
              and vitals.after_quiet_hours(notify_at_once.moment, w.quiet_from, w.quiet_until, w.time_zone) > notify_at_once.moment
          )
        -- Where several routes lead to one address, the earliest.
        order by w.alert_id, w.channel, w.address, due_at, w.merge_seconds, w.route_id
    ),
    waiting as (
        update notification n
        set urgent = n.urgent or t.urgent, due_at = least(n.due_at, t.due_at)
        from receiver t
        where n.alert_id = t.alert_id and n.channel = t.channel and n.address = t.address
          and n.kind in ('fired', 'raised') and n.status = 'pending' and n.message_id is null
        returning n.alert_id, n.channel, n.address
    ),
    numbered as (
        select a.alert_id,
               case notify_at_once.kind
                   when 'fired' then vitals.last_sequence(a.alert_id, 'fired', 'escalated')
                   else vitals.last_sequence(a.alert_id, 'raised')
               end + 1 as sequence
        from unnest(notify_at_once.alert_ids) as a (alert_id)
    )
    insert into notification
        (alert_id, kind, sequence, channel, address, contact_id, route_id, urgent, merge_seconds, created_at, due_at, traceparent)
    select
        t.alert_id, notify_at_once.kind, m.sequence, t.channel, t.address, t.contact_id, t.route_id, t.urgent, t.merge_seconds,
        notify_at_once.moment, t.due_at, vitals.trace_of_alert(t.alert_id)
    from receiver t
    join numbered m on m.alert_id = t.alert_id
    where not exists (
        select from waiting w where w.alert_id = t.alert_id and w.channel = t.channel and w.address = t.address
    )
    order by t.alert_id, t.channel, t.address
    on conflict do nothing;
end
$$;
comment on function vitals.notify_at_once(bigint[], text, timestamptz) is 'Notifies the audience of the routes without delay that alerts fired or rose.';

-- Alerts that were acknowledged or resolved: those who were notified of them since the last such news, if a route that led to them asks
-- for it. The person who acknowledged needs no message; a group or a program of the same name gets it.
create or replace function vitals.notify_of_outcome(alert_ids bigint[], kind text, moment timestamptz) returns void
language plpgsql
set search_path = pg_catalog, public, pg_temp
as $$
begin
    with notified as materialized (
        select distinct n.alert_id, n.channel, n.address, n.contact_id, n.route_id
        from notification n
        where n.alert_id = any (notify_of_outcome.alert_ids) and n.kind in ('fired', 'raised', 'escalated', 'repeated', 'assigned')
          and (n.status = 'sent' or n.status = 'pending' and (n.message_id is not null or not n.unless_taken))
          and n.notification_id > coalesce((
              select max(o.notification_id)
              from notification o
              where o.alert_id = n.alert_id and o.channel = n.channel and o.address = n.address and o.kind = notify_of_outcome.kind
          ), 0)
    ),
    wanted as (
        select n.alert_id, n.channel, n.address, n.contact_id, r.route_id, r.merge_seconds, r.quiet_from, r.quiet_until,
               coalesce(r.time_zone, vitals.default_zone()) as time_zone
        from notified n
        join notification_route r
          on r.route_id = n.route_id and r.enabled
         and case notify_of_outcome.kind when 'resolved' then r.on_resolved else r.on_acknowledged end
        union all
        select n.alert_id, n.channel, n.address, n.contact_id, w.route_id, w.merge_seconds, w.quiet_from, w.quiet_until, w.time_zone
        from notified n
        join vitals.alert_audience(notify_of_outcome.alert_ids) w
          on w.alert_id = n.alert_id and w.channel = n.channel and w.address = n.address
         and case notify_of_outcome.kind when 'resolved' then w.on_resolved else w.on_acknowledged end
        union all
        -- By an assignment.
        select n.alert_id, n.channel, n.address, n.contact_id, null, null, null, null, vitals.default_zone()
        from notified n
        where n.route_id is null
    ),
    receiver as (
        select distinct on (w.alert_id, w.channel, w.address)
            w.*, a.severity = 'critical' as urgent,
            case
                when a.severity = 'critical' then notify_of_outcome.moment
                else vitals.after_quiet_hours(notify_of_outcome.moment, w.quiet_from, w.quiet_until, w.time_zone)
            end as due_at
        from wanted w
        join alert a on a.alert_id = w.alert_id
        where not (
            notify_of_outcome.kind = 'acknowledged' and w.channel not in ('webhook', 'wecom_robot', 'dingtalk_robot', 'feishu_robot') and exists (
                select from contact c where c.contact_id = w.contact_id and c.name = a.acknowledged_by
            )
        )
        order by w.alert_id, w.channel, w.address, due_at, w.merge_seconds, w.route_id
    )
    insert into notification
        (alert_id, kind, sequence, channel, address, contact_id, route_id, urgent, merge_seconds, created_at, due_at, traceparent)
    select
        t.alert_id, notify_of_outcome.kind, vitals.last_sequence(t.alert_id, notify_of_outcome.kind) + 1, t.channel, t.address,
        t.contact_id, t.route_id, t.urgent, t.merge_seconds, notify_of_outcome.moment, t.due_at, vitals.trace_of_alert(t.alert_id)
    from receiver t
    order by t.alert_id, t.channel, t.address
    on conflict do nothing;
end
$$;
comment on function vitals.notify_of_outcome(bigint[], text, timestamptz) is 'Notifies those who were notified of alerts that these were acknowledged or resolved.';

-- Alerts that were assigned: their contacts, by all their addresses.
create or replace function vitals.notify_of_assignment(alert_ids bigint[], moment timestamptz) returns void
language sql
set search_path = pg_catalog, public, pg_temp
as $$
    insert into notification (alert_id, kind, sequence, channel, address, contact_id, urgent, created_at, due_at)
    select
        a.alert_id, 'assigned', vitals.last_sequence(a.alert_id, 'assigned') + 1, ca.channel, ca.address, ca.contact_id,
        a.severity = 'critical', notify_of_assignment.moment, notify_of_assignment.moment
    from alert a
    join contact_address ca on ca.contact_id = a.assigned_to and ca.enabled
    where a.alert_id = any (notify_of_assignment.alert_ids)
    order by a.alert_id, ca.channel, ca.address
    on conflict do nothing
$$;
comment on function vitals.notify_of_assignment(bigint[], timestamptz) is 'Notifies contacts of the alerts that are assigned to them.';

-- Parameters: the alerts; kind 'fired' (newly live, or a person raised the alarm once more), 'raised' (its severity rose), 'acknowledged'
-- (by a person), 'assigned' (to a contact) or 'resolved' (ended). Call it in the transaction that changes the alerts, after the change.
-- An acknowledgement and an end delete the steps and cancel the escalations and repeats that were not attempted yet.
-- Returns whether there is anything to send or publish. Nobody is notified of late (historical) alerts.
create or replace function vitals.notify_alerts(alert_ids bigint[], kind text) returns boolean
language plpgsql
set search_path = pg_catalog, public, pg_temp
as $$
declare
    live   bigint[];
    moment constant timestamptz := clock_timestamp();
begin
    if notify_alerts.kind is null or notify_alerts.kind not in ('fired', 'raised', 'acknowledged', 'assigned', 'resolved') then
        raise exception 'alerts are fired, raised, acknowledged, assigned or resolved, not "%"', notify_alerts.kind
            using errcode = 'invalid_parameter_value';
    end if;
    if not vitals.show_alerts(notify_alerts.alert_ids) then
        return false;
    end if;
    -- The transaction of the relay would not wait for the disk, but a notification may be sent before that.
    perform set_config('synchronous_commit', 'on', true);
    if notify_alerts.kind in ('acknowledged', 'resolved') then
        perform vitals.end_notification_steps(notify_alerts.alert_ids);
    end if;
    live := vitals.alerts_to_notify(notify_alerts.alert_ids, notify_alerts.kind);
    case
        when notify_alerts.kind in ('fired', 'raised') then
            perform vitals.begin_notification_steps(notify_alerts.alert_ids, live, notify_alerts.kind, moment);
            perform vitals.notify_at_once(live, notify_alerts.kind, moment);
        when notify_alerts.kind = 'assigned' then
            perform vitals.notify_of_assignment(live, moment);
        else
            perform vitals.notify_of_outcome(live, notify_alerts.kind, moment);
    end case;
    return true;
end
$$;
comment on function vitals.notify_alerts(bigint[], text) is 'Records whom to notify that these alerts fired, rose, were acknowledged, assigned or resolved, and that they are published to Redis again. Returns whether there is anything to do.';
