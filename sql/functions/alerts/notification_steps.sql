-- Steps of the notification of an alert: what its routes are still to do while it is firing and nobody has acknowledged it. One row of
-- vitals.notification_step per alert and route that waits (after_seconds), repeats (repeat_seconds), or waits for the end of its
-- quiet hours to see who is on duty.
-- Before: notify_alerts begins and ends them, in the transaction that changes the alert. After: the service calls notify_due_steps,
-- which adds the notifications and moves the step on, in one transaction: steps survive restarts, and of several instances one does each.

-- Begins the steps of alerts that fired (again: they begin anew) or rose (those of before go on, with a new count of repeats).
-- `live` are those of the alerts that are not silenced; the steps of the others are due at once, and wait for the end of the silence.
-- Locks: the rows.
create or replace function vitals.begin_notification_steps(
    alert_ids bigint[], live bigint[], kind text, moment timestamptz
) returns void
language plpgsql
set search_path = pg_catalog, public, pg_temp
as $$
begin
    insert into vitals.notification_step (alert_id, route_id, round, repeats_before, times, due_at)
    select
        m.alert_id, m.route_id,
        case begin_notification_steps.kind
            when 'fired' then vitals.last_sequence(m.alert_id, 'fired', 'escalated') + 1
            else greatest(vitals.last_sequence(m.alert_id, 'fired', 'escalated'), 1)
        end,
        vitals.last_sequence(m.alert_id, 'repeated'),
        case when s.is_notified then 1 else 0 end,
        case
            when s.is_notified then w.at + make_interval(secs => m.repeat_seconds)
            when m.alert_id = any (begin_notification_steps.live) then greatest(w.at, begin_notification_steps.moment + make_interval(secs => m.after_seconds))
            else begin_notification_steps.moment + make_interval(secs => m.after_seconds)
        end
    from vitals.matching_routes(begin_notification_steps.alert_ids) m
    join alert a on a.alert_id = m.alert_id and not a.historical and a.status = 'firing'
    cross join lateral (
        select case when m.severity = 'critical' then begin_notification_steps.moment
            else vitals.after_quiet_hours(begin_notification_steps.moment, m.quiet_from, m.quiet_until, m.time_zone) end as at
    ) w
    cross join lateral (
        select m.audience = 'on_duty' and w.at > begin_notification_steps.moment as is_put_off
    ) q
    cross join lateral (
        -- By notify_at_once.
        select m.after_seconds = 0 and not q.is_put_off
            and coalesce(m.alert_id = any (begin_notification_steps.live), false) as is_notified
    ) s
    where m.after_seconds > 0 or m.repeat_seconds is not null or q.is_put_off
    order by m.alert_id, m.route_id
    on conflict (alert_id, route_id) do update
    set round = case begin_notification_steps.kind when 'fired' then excluded.round else notification_step.round end,
        repeats_before = excluded.repeats_before,
        times = case begin_notification_steps.kind when 'fired' then excluded.times else least(notification_step.times, 1) end,
        due_at = case begin_notification_steps.kind when 'fired' then excluded.due_at else least(notification_step.due_at, excluded.due_at) end;
end
$$;
comment on function vitals.begin_notification_steps(bigint[], bigint[], text, timestamptz) is 'Begins the steps of alerts that fired or rose.';

-- Ends the steps of alerts, and cancels their escalations and repeats that no attempt was made of; after an attempt, notification.take
-- cancels them. The order matters: behind the deletion, what a step that was being done added is visible.
-- Locks: the rows.
create or replace function vitals.end_notification_steps(alert_ids bigint[]) returns void
language plpgsql
set search_path = pg_catalog, public, pg_temp
as $$
begin
    delete from vitals.notification_step s where s.alert_id = any (end_notification_steps.alert_ids);
    update notification n
    set status = 'cancelled', error = 'the alert is ' || a.status
    from alert a
    where n.alert_id = any (end_notification_steps.alert_ids) and a.alert_id = n.alert_id
      and n.status = 'pending' and n.unless_taken and n.message_id is null;
end
$$;
comment on function vitals.end_notification_steps(bigint[]) is 'Ends the steps of alerts, and cancels their escalations and repeats.';

-- Does the steps that are due, `most` at a time: notifies whoever the route leads to at this moment. A step waits for the end of the quiet
-- hours (unless the alert is critical), and looks again each minute while the alert is silenced. An address for which a notification
-- of the alert still waits gets no further one. Returns how many steps it did.
-- Locks: the steps; those that another instance does are skipped.
create or replace function vitals.notify_due_steps(most integer) returns integer
language plpgsql
set search_path = pg_catalog, public, pg_temp
as $$
declare
    moment  constant timestamptz := clock_timestamp();
    claimed bigint[];
    routes  bigint[];
    quiet   bigint[] := '{}';
begin
    select array_agg(c.alert_id), array_agg(c.route_id) into claimed, routes
    from (
        select s.alert_id, s.route_id
        from vitals.notification_step s
        where s.due_at <= moment
        order by s.due_at
        limit notify_due_steps.most
        for update skip locked
    ) as c;
    if claimed is null then
        return 0;
    end if;
    perform set_config('synchronous_commit', 'on', true);
    if exists (select from alert_silence where ends_at > moment) then
        quiet := array(select s.alert_id from vitals.silenced_alerts(claimed) s);
    end if;
    with step as materialized (
        select
            s.alert_id, s.route_id, s.round, s.repeats_before, s.times, m.severity, m.after_seconds, m.repeat_seconds, m.repeat_times,
            case
                when m.status is distinct from 'firing' then 'over'
                when s.alert_id = any (quiet) then 'silenced'
                when w.at > moment then 'quiet'
                else 'due'
            end as verdict,
            w.at as quiet_until
        from unnest(claimed, routes) as c (alert_id, route_id)
        join vitals.notification_step s on s.alert_id = c.alert_id and s.route_id = c.route_id
        -- No row: the route is off, or matches no longer.
        left join vitals.matching_routes(claimed) m on m.alert_id = c.alert_id and m.route_id = c.route_id
        cross join lateral (
            select case when m.severity = 'critical' then moment
                else vitals.after_quiet_hours(moment, m.quiet_from, m.quiet_until, m.time_zone) end as at
        ) w
    ),
    added as (
        insert into notification
            (alert_id, kind, sequence, channel, address, contact_id, route_id, urgent, unless_taken, merge_seconds, created_at, due_at)
        select distinct on (n.alert_id, n.kind, n.sequence, n.channel, n.address) n.*
        from (
            select
                w.alert_id,
                case when s.times > 0 then 'repeated' when s.after_seconds > 0 then 'escalated' else 'fired' end as kind,
                case when s.times > 0 then s.repeats_before + s.times else s.round end as sequence,
                w.channel, w.address, w.contact_id, w.route_id, w.severity = 'critical', true, w.merge_seconds, moment as created_at,
                moment as due_at
            from step s
            join vitals.alert_audience(claimed) w on w.alert_id = s.alert_id and w.route_id = s.route_id
            where s.verdict = 'due'
        ) as n
        where not exists (
            select from notification o
            where o.alert_id = n.alert_id and o.channel = n.channel and o.address = n.address and o.status = 'pending'
              and o.kind in ('fired', 'raised', 'escalated', 'repeated')
        )
        order by n.alert_id, n.kind, n.sequence, n.channel, n.address, n.merge_seconds, n.route_id
        on conflict do nothing
    ),
    over as (
        delete from vitals.notification_step d
        using step s
        where d.alert_id = s.alert_id and d.route_id = s.route_id
          and (s.verdict = 'over' or s.verdict = 'due' and (s.repeat_seconds is null or s.times >= s.repeat_times))
    )
    update vitals.notification_step u
    set times = case when s.verdict = 'due' then u.times + 1 else u.times end,
        due_at = case s.verdict
            when 'due' then moment + make_interval(secs => s.repeat_seconds)
            when 'silenced' then moment + interval '1 minute'
            else s.quiet_until
        end
    from step s
    where u.alert_id = s.alert_id and u.route_id = s.route_id
      and (s.verdict in ('silenced', 'quiet') or s.verdict = 'due' and s.repeat_seconds is not null and s.times < s.repeat_times);
    return cardinality(claimed);
end
$$;
comment on function vitals.notify_due_steps(integer) is 'Does the steps that are due: notifies whoever their routes lead to. Returns how many it did. Called by the service.';
