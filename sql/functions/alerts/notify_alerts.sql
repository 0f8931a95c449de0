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

-- When a message that is due at an instant goes, given quiet hours in a zone: at their end, if it falls into them.
-- The end is found in local time, for a night may have an hour more or less; it is never before the instant.
create or replace function vitals.after_quiet_hours(instant timestamptz, quiet_from time, quiet_until time, zone text)
returns timestamptz
language sql
immutable parallel safe
set search_path = pg_catalog, pg_temp
as $$
    select case
        when quiet_from is null then instant
        when quiet_from < quiet_until and local.hour >= quiet_from and local.hour < quiet_until
            or quiet_from > quiet_until and local.hour < quiet_until
            then greatest(instant, (local.day + quiet_until) at time zone zone)
        when quiet_from > quiet_until and local.hour >= quiet_from
            then greatest(instant, (local.day + 1 + quiet_until) at time zone zone)
        else instant
    end
    from (select (instant at time zone zone)::date as day, (instant at time zone zone)::time as hour) as local
$$;
comment on function vitals.after_quiet_hours(timestamptz, time, time, text) is 'The instant, or the end of the quiet hours it falls into.';

-- Alerts that are silenced now, each with the silence that ends last.
create or replace function vitals.silenced_alerts(alert_ids bigint[])
returns table (alert_id bigint, silence_id bigint, actor text, note text)
language sql
stable
set search_path = pg_catalog, public, pg_temp
as $$
    select distinct on (a.alert_id) a.alert_id, s.silence_id, s.actor, s.note
    from alert a
    join alert_silence s on s.starts_at <= clock_timestamp() and s.ends_at > clock_timestamp()
    left join org_unit o on o.org_id = a.org_id
    where a.alert_id = any (silenced_alerts.alert_ids)
      and (s.customer_id is null or s.customer_id = a.customer_id)
      and (s.org_id is null or s.org_id = a.org_id or s.org_id = any (o.ancestors))
      and (s.device_sn is null or s.device_sn = a.device_sn)
      and (s.rule_id is null or s.rule_id = a.rule_id)
    order by a.alert_id, s.ends_at desc, s.silence_id
$$;
comment on function vitals.silenced_alerts(bigint[]) is 'The alerts that are silenced now, and the silence that ends last.';

-- The addresses the routes lead to: one row per alert, route and address.
create or replace function vitals.alert_audience(alert_ids bigint[])
returns table (
    alert_id bigint, severity text, channel text, address text, contact_id bigint, route_id bigint,
    after_seconds integer, on_resolved boolean, merge_seconds integer, quiet_from time, quiet_until time, time_zone text
)
language sql
stable
set search_path = pg_catalog, public, pg_temp
as $$
    with subject as (
        select a.alert_id, a.rule_id, a.customer_id, a.user_id, a.severity, u.units
        from alert a
        left join org_unit o on o.org_id = a.org_id
        -- From the root down to the unit itself; one that the directory does not know is alone.
        cross join lateral (select array_remove(coalesce(o.ancestors, '{}') || a.org_id, null) as units) u
        where a.alert_id = any (alert_audience.alert_ids)
    ),
    matched as (
        select s.alert_id, s.severity, s.user_id, s.units, r.*
        from subject s
        join notification_route r
          on r.enabled
         and (r.customer_id is null or r.customer_id = s.customer_id)
         and (r.org_id is null or r.org_id = any (s.units))
         and (r.rule_id is null or r.rule_id = s.rule_id)
         and array_position(array['critical', 'major', 'minor', 'info'], r.min_severity)
             >= array_position(array['critical', 'major', 'minor', 'info'], s.severity)
    ),
    -- The unit nearest to the wearer that has a manager who can be reached this way.
    answering as (
        select m.alert_id, m.route_id, m.channel, nearest.org_id
        from matched m
        cross join lateral (
            select unit.org_id
            from unnest(m.units) with ordinality as unit (org_id, depth)
            where exists (
                select
                from org_manager g
                join contact_address ca on ca.contact_id = g.contact_id and ca.channel = m.channel and ca.enabled
                where g.org_id = unit.org_id
            )
            order by unit.depth desc
            limit 1
        ) nearest
        where m.audience = 'managers'
    ),
    audience as (
        select m.alert_id, m.route_id, m.contact_id
        from matched m
        where m.audience = 'contact'
        union
        select m.alert_id, m.route_id, c.contact_id
        from matched m
        join contact c on c.user_id = m.user_id
        where m.audience = 'wearer'
        union
        select w.alert_id, w.route_id, g.contact_id
        from answering w
        join org_manager g on g.org_id = w.org_id
    )
    select m.alert_id, m.severity, m.channel, ca.address, ca.contact_id, m.route_id, m.after_seconds, m.on_resolved,
           m.merge_seconds, m.quiet_from, m.quiet_until,
           coalesce(m.time_zone, vitals.default_zone())
    from audience t
    join matched m on m.alert_id = t.alert_id and m.route_id = t.route_id
    join contact_address ca on ca.contact_id = t.contact_id and ca.channel = m.channel and ca.enabled
$$;
comment on function vitals.alert_audience(bigint[]) is 'Which addresses the enabled routes lead to for these alerts, silences and quiet hours not considered.';

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

-- Parameters: the alerts; kind 'fired' (newly live), 'resolved' (ended) or 'acknowledged' (by a person: it is only published to
-- Redis, and pending escalations are cancelled when they are due).
-- Returns whether there is anything to send or publish. Nobody is notified of late (historical) alerts.
create or replace function vitals.notify_alerts(alert_ids bigint[], kind text) returns boolean
language plpgsql
set search_path = pg_catalog, public, pg_temp
as $$
declare
    live   bigint[];
    moment constant timestamptz := clock_timestamp();
begin
    if notify_alerts.kind is null or notify_alerts.kind not in ('fired', 'acknowledged', 'resolved') then
        raise exception 'alerts are fired, acknowledged or resolved, not "%"', notify_alerts.kind
            using errcode = 'invalid_parameter_value';
    end if;
    if not vitals.show_alerts(notify_alerts.alert_ids) then
        return false;
    end if;
    if notify_alerts.kind = 'acknowledged' then
        return true;
    end if;

    select array_agg(a.alert_id) into live
    from alert a
    where a.alert_id = any (notify_alerts.alert_ids) and not a.historical;
    if exists (select from alert_silence where ends_at > moment) then
        with silenced as (
            select s.alert_id, s.actor, s.note from vitals.silenced_alerts(live) s
        ),
        recorded as (
            insert into alert_action (alert_id, action, actor, note)
            select s.alert_id, 'silenced', s.actor, s.note
            from silenced s
            where notify_alerts.kind = 'fired'
        )
        select array_agg(a.alert_id) into live
        from unnest(live) as a (alert_id)
        where a.alert_id not in (select s.alert_id from silenced s);
    end if;

    with receiver as (
        select
            w.alert_id,
            case when notify_alerts.kind = 'fired' and w.after_seconds > 0 then 'escalated' else notify_alerts.kind end as kind,
            w.channel, w.address, w.contact_id, w.route_id, w.severity = 'critical' as urgent, w.merge_seconds,
            notify_alerts.kind = 'fired' and w.after_seconds > 0 as unless_taken,
            case
                when w.severity = 'critical' then due.at
                else vitals.after_quiet_hours(due.at, w.quiet_from, w.quiet_until, w.time_zone)
            end as due_at
        from vitals.alert_audience(live) w
        cross join lateral (
            select case when notify_alerts.kind = 'fired' then moment + make_interval(secs => w.after_seconds) else moment end as at
        ) due
        where notify_alerts.kind = 'fired'
           or w.on_resolved and exists (
               select
               from notification n
               where n.alert_id = w.alert_id and n.channel = w.channel and n.address = w.address
                 and n.kind in ('fired', 'escalated')
                 and (n.status = 'sent' or n.status = 'pending' and (n.message_id is not null or not n.unless_taken))
           )
    )
    insert into notification
        (alert_id, kind, channel, address, contact_id, route_id, urgent, unless_taken, merge_seconds, created_at, due_at,
         traceparent)
    -- Where several routes lead to one address, the earliest.
    select distinct on (t.alert_id, t.kind, t.channel, t.address)
        t.alert_id, t.kind, t.channel, t.address, t.contact_id, t.route_id, t.urgent, t.unless_taken, t.merge_seconds,
        moment, t.due_at, vitals.trace_of_alert(t.alert_id)
    from receiver t
    order by t.alert_id, t.kind, t.channel, t.address, t.due_at, t.merge_seconds, t.route_id
    on conflict do nothing;
    if found then
        -- The transaction of the relay would not wait for the disk, but a notification may be sent before that.
        perform set_config('synchronous_commit', 'on', true);
    end if;
    return true;
end
$$;
comment on function vitals.notify_alerts(bigint[], text) is 'Records whom to notify that these alerts fired, were acknowledged or were resolved, and that they are published to Redis again. Returns whether there is anything to do.';
