-- What a rule would have done over stored rows: its alerts, and who would have been notified of them. Changes nothing; the rule need not
-- exist.
--   rule           the rule; its rule_id may be NULL
--   device_sns     the devices
--   from_ts, to_ts the time range, as if no alert had been open at its start, and as if nobody had resolved one
-- Locks: none.

-- Its alerts. `raised_ts` and `raised_to`: when the severity rose by a reading that was not late, and to what; NULL: it did not.
create or replace function vitals.replay_rule(rule alert_rule, device_sns text[], from_ts timestamptz, to_ts timestamptz)
returns table (
    device_sn text, started_ts timestamptz, fired_ts timestamptz, last_ts timestamptz, ended_ts timestamptz,
    breach_count integer, last_value numeric, peak_value numeric, last_text text, historical boolean,
    fired_severity text, severity text, peak_severity text, raised_ts timestamptz[], raised_to text[],
    customer_id bigint, org_id bigint, user_id bigint
)
language plpgsql stable
set search_path = pg_catalog, public, pg_temp
set plan_cache_mode = force_custom_plan
as $$
#variable_conflict use_column
declare
    -- Devices with an owner whose rows may breach.
    breaching text[];
    owners    vitals.owner[];
begin
    -- Without a number of its own, no stored alert that a person has resolved mutes it; it still takes the place of itself.
    rule.replaces_rule_id := coalesce(rule.replaces_rule_id, rule.rule_id);
    rule.rule_id := null;
    if rule.kind = 'silence' then
        return query
            select g.device_sn, g.ts, g.ts + make_interval(secs => rule.silent_seconds),
                coalesce(g.next_ts, replay_rule.to_ts), g.next_ts, 1, null::numeric, null::numeric, null::text, false,
                rule.severity, rule.severity, rule.severity, null::timestamptz[], null::text[], g.customer_id, g.org_id, g.user_id
            from (
                select h.device_sn, h.ts, h.customer_id, h.org_id, h.user_id,
                    lead(h.ts) over (partition by h.device_sn order by h.ts) as next_ts
                from health_data h
                where h.device_sn = any (replay_rule.device_sns) and h.ts between replay_rule.from_ts and replay_rule.to_ts
            ) as g
            where coalesce(g.next_ts, replay_rule.to_ts) - g.ts > make_interval(secs => rule.silent_seconds)
              and vitals.rule_applies(
                  vitals.rule_scope(rule.customer_id, rule.org_id, rule.user_id, rule.device_sn),
                  rule.replaces_rule_id, vitals.row_scopes(g.customer_id, g.org_id, g.user_id, g.device_sn)
              )
            order by g.device_sn, g.ts;
        return;
    end if;
    if rule.kind = 'event' then
        select coalesce(array_agg(w.device_sn), '{}'), coalesce(array_agg(w.owner), '{}') into breaching, owners
        from (
            select distinct e.device_sn, row(e.customer_id, e.org_id, e.user_id)::vitals.owner as owner
            from device_event e
            where e.device_sn = any (replay_rule.device_sns) and e.event_type = rule.event_type
              and e.ts between replay_rule.from_ts and replay_rule.to_ts
        ) as w;
    else
        -- Most devices never breach a threshold, which one query shows.
        select coalesce(array_agg(w.device_sn), '{}'), coalesce(array_agg(w.owner), '{}') into breaching, owners
        from (
            select distinct h.device_sn, row(h.customer_id, h.org_id, h.user_id)::vitals.owner as owner
            from health_data h
            cross join lateral (
                select vitals.metric_value(rule.metric, h) as value
            ) as v
            where h.device_sn = any (replay_rule.device_sns) and h.ts between replay_rule.from_ts and replay_rule.to_ts
              and (rule.kind <> 'threshold' or v.value < rule.min_value or v.value > rule.max_value)
        ) as w;
    end if;
    return query
        select breaching[d.ord], d.started_ts, d.fired_ts, d.last_ts, d.ended_ts, d.breach_count, d.last_value, d.peak_value,
            d.last_text, d.late, vitals.severity_of_level(rule, d.fired_level), vitals.severity_of_level(rule, d.level),
            vitals.severity_of_level(rule, d.peak_level), r.raised_ts, r.raised_to, d.customer_id, d.org_id, d.user_id
        from vitals.derive_alerts(
            array[rule], array_fill(1, array[cardinality(breaching)]), breaching, owners,
            array_fill(replay_rule.from_ts, array[cardinality(breaching)]), array_fill(replay_rule.to_ts, array[cardinality(breaching)]),
            array_fill(false, array[cardinality(breaching)]), array_fill(null::timestamptz, array[cardinality(breaching)]),
            array_fill(null::timestamptz, array[cardinality(breaching)]), array_fill(null::integer, array[cardinality(breaching)]),
            true, replay_rule.from_ts, replay_rule.to_ts
        ) as d
        cross join lateral (
            select array_agg(a.event_ts order by a.place) as raised_ts,
                array_agg(vitals.severity_of_level(rule, a.level) order by a.place) as raised_to
            from vitals.level_actions(d.fired_level, d.level_values, d.level_ts) as a
            where a.action = 'raised' and not d.level_late[a.place]
        ) as r
        order by breaching[d.ord], d.fired_ts;
end
$$;
comment on function vitals.replay_rule(alert_rule, text[], timestamptz, timestamptz) is 'The alerts that a rule would have raised for the stored rows of some devices.';

-- Who would have been notified of these alerts: by the routes, contacts and bindings of units as they are now, with the shifts of the time
-- at which the alert fired or rose, and with the silences and quiet hours of the time at which the message was due. As if nobody had
-- acknowledged an alert; so repeats are left out, which would go on until its end.
create or replace function vitals.replay_notifications(rule alert_rule, device_sns text[], from_ts timestamptz, to_ts timestamptz)
returns table (
    device_sn text, notified_ts timestamptz, kind text, severity text, channel text, address text, contact_id bigint, contact text, route_id bigint
)
language plpgsql stable
set search_path = pg_catalog, public, pg_temp
as $$
#variable_conflict use_column
declare
    subjects vitals.alert_subject[];
    devices  text[];
    kinds    text[];
    begins   timestamptz[];
    ends     timestamptz[];
begin
    -- Each occasion is a subject, its number in place of that of an alert.
    select array_agg(o.subject order by o.place), array_agg(o.device_sn order by o.place), array_agg(o.kind order by o.place),
        array_agg(o.fired_ts order by o.place), array_agg(o.end_ts order by o.place)
    into subjects, devices, kinds, begins, ends
    from (
        select n.place, n.device_sn, n.kind, n.fired_ts, n.end_ts,
            row(n.place, rule.rule_id, n.customer_id, n.org_id, n.user_id, n.severity, 'firing', null, n.at_ts)::vitals.alert_subject as subject
        from (
            select e.device_sn, e.customer_id, e.org_id, e.user_id, e.fired_ts, c.*,
                coalesce(e.ended_ts, replay_notifications.to_ts) as end_ts, row_number() over (order by e.device_sn, c.at_ts, c.step) as place
            from vitals.replay_rule(rule, replay_notifications.device_sns, replay_notifications.from_ts, replay_notifications.to_ts) as e
            cross join lateral (
                select 'fired' as kind, e.fired_ts as at_ts, e.fired_severity as severity, 1 as step
                union all
                select 'raised', u.ts, u.severity, 2 from unnest(e.raised_ts, e.raised_to) as u (ts, severity)
                union all
                select 'resolved', e.ended_ts, e.peak_severity, 3 where e.ended_ts is not null
            ) as c
            where not e.historical
        ) as n
    ) as o;
    return query
        with notified as (
            select distinct on (w.alert_id, late.kind, w.channel, w.address)
                place.device_sn, place.fired_ts, step.at_ts, late.kind, w.severity, w.channel, w.address, w.contact_id, w.route_id
            from vitals.audience_of_subjects(subjects) as w
            cross join lateral (
                select devices[w.alert_id] as device_sn, kinds[w.alert_id] as kind, begins[w.alert_id] as fired_ts, ends[w.alert_id] as end_ts,
                    (subjects[w.alert_id]).*
            ) as place
            cross join lateral (
                select place.at_ts + make_interval(secs => case place.kind when 'fired' then w.after_seconds else 0 end) as ts
            ) as due
            cross join lateral (
                select case when w.severity = 'critical' then due.ts
                    else vitals.after_quiet_hours(due.ts, w.quiet_from, w.quiet_until, w.time_zone) end as until_ts
            ) as quiet
            cross join lateral (
                select case when place.kind = 'fired' and w.after_seconds > 0 then 'escalated' else place.kind end as kind,
                    place.kind = 'fired' and (w.after_seconds > 0 or w.audience = 'on_duty' and quiet.until_ts > due.ts) as waits
            ) as late
            cross join lateral (
                select max(s.ends_at) as until_ts
                from vitals.silences_at(
                    place.customer_id, place.org_id, place.device_sn, rule.rule_id, case when late.waits then quiet.until_ts else due.ts end
                ) as s
            ) as silence
            -- A step waits for the end of a silence; what is due at once is left out in it.
            cross join lateral (select greatest(quiet.until_ts, silence.until_ts) as at_ts) as step
            where case place.kind when 'resolved' then w.on_resolved when 'raised' then w.after_seconds = 0 else true end
              -- A step of an alert that is over by then is not done.
              and case when late.waits then step.at_ts < place.end_ts else silence.until_ts is null end
            order by w.alert_id, late.kind, w.channel, w.address, step.at_ts, w.route_id
        )
        select n.device_sn, n.at_ts, n.kind, n.severity, n.channel, n.address, n.contact_id, c.name, n.route_id
        from notified n
        left join contact c on c.contact_id = n.contact_id
        where n.kind <> 'resolved' or exists (
            -- Whoever was not notified of the alert is not notified of its end.
            select from notified o
            where o.device_sn = n.device_sn and o.fired_ts = n.fired_ts and o.channel = n.channel and o.address = n.address
              and o.kind <> 'resolved'
        )
        order by n.device_sn, n.at_ts, n.kind, n.channel, n.address;
end
$$;
comment on function vitals.replay_notifications(alert_rule, text[], timestamptz, timestamptz) is 'Who would have been notified of the alerts that a rule would have raised.';
