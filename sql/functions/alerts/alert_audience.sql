-- Who is notified of alerts: the routes that match, and the contacts and addresses to which they lead at this moment.
-- Before: notify_alerts and notify_due_steps, and whoever asks in SQL. After: their rows of notification. replay_notifications asks for
-- alerts that do not exist.
-- Locks: none.

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

-- The silences that hold for an alert, which need not exist, at a time.
create or replace function vitals.silences_at(customer_id bigint, org_id bigint, device_sn text, rule_id bigint, at_ts timestamptz)
returns setof alert_silence
language sql
stable
set search_path = pg_catalog, public, pg_temp
as $$
    select s.*
    from alert_silence s
    where s.starts_at <= silences_at.at_ts and s.ends_at > silences_at.at_ts
      and (s.customer_id is null or s.customer_id = silences_at.customer_id)
      and (
          s.org_id is null or s.org_id = silences_at.org_id
          or exists (select from org_unit o where o.org_id = silences_at.org_id and s.org_id = any (o.ancestors))
      )
      and (s.device_sn is null or s.device_sn = silences_at.device_sn)
      and (s.rule_id is null or s.rule_id = silences_at.rule_id)
$$;
comment on function vitals.silences_at(bigint, bigint, text, bigint, timestamptz) is 'The silences that hold for an alert, which need not exist, at a time.';

-- Alerts that are silenced now, each with the silence that ends last.
create or replace function vitals.silenced_alerts(alert_ids bigint[])
returns table (alert_id bigint, silence_id bigint, actor text, note text)
language sql
stable
set search_path = pg_catalog, public, pg_temp
as $$
    select distinct on (a.alert_id) a.alert_id, s.silence_id, s.actor, s.note
    from alert a
    cross join lateral vitals.silences_at(a.customer_id, a.org_id, a.device_sn, a.rule_id, clock_timestamp()) s
    where a.alert_id = any (silenced_alerts.alert_ids)
    order by a.alert_id, s.ends_at desc, s.silence_id
$$;
comment on function vitals.silenced_alerts(bigint[]) is 'The alerts that are silenced now, and the silence that ends last.';

-- Alerts as who is notified of them depends on them, now. An alert that rose and fell again in this transaction is as grave as it was
-- between: whoever is notified of that severity hears of it.
create or replace function vitals.subjects_of_alerts(alert_ids bigint[]) returns vitals.alert_subject[]
language sql
stable
set search_path = pg_catalog, public, pg_temp
as $$
    select array_agg(row(
        a.alert_id, a.rule_id, a.customer_id, a.org_id, a.user_id,
        case when a.severity = a.peak_severity then a.severity else vitals.graver_severity(a.severity, coalesce((
            select c.severity
            from alert_action c
            where c.alert_id = a.alert_id and c.action in ('fired', 'raised') and c.acted_at >= now()
            order by vitals.severity_rank(c.severity) desc nulls last
            limit 1
        ), a.severity)) end,
        a.status, a.assigned_to, moment.at_ts
    )::vitals.alert_subject)
    from alert a
    cross join (select clock_timestamp() as at_ts offset 0) as moment
    where a.alert_id = any (subjects_of_alerts.alert_ids)
$$;
comment on function vitals.subjects_of_alerts(bigint[]) is 'Alerts as who is notified of them depends on them, now.';

-- The enabled routes that match alerts, which need not exist. `units`: from the root down to the unit of the alert; one that the directory does not know
-- is alone.
create or replace function vitals.routes_of_subjects(subjects vitals.alert_subject[])
returns table (
    alert_id bigint, severity text, status text, customer_id bigint, user_id bigint, assigned_to bigint, units bigint[], route_id bigint,
    channel text, audience text, contact_id bigint, after_seconds integer, repeat_seconds integer, repeat_times integer,
    on_acknowledged boolean, on_resolved boolean, merge_seconds integer, quiet_from time, quiet_until time, time_zone text, at_ts timestamptz
)
language sql
stable
set search_path = pg_catalog, public, pg_temp
as $$
    select
        a.alert_id, a.severity, a.status, a.customer_id, a.user_id, a.assigned_to, u.units, r.route_id,
        r.channel, r.audience, r.contact_id, r.after_seconds, r.repeat_seconds, r.repeat_times,
        r.on_acknowledged, r.on_resolved, r.merge_seconds, r.quiet_from, r.quiet_until,
        coalesce(r.time_zone, vitals.default_zone()), a.at_ts
    from unnest(routes_of_subjects.subjects) a
    left join org_unit o on o.org_id = a.org_id
    cross join lateral (select array_remove(coalesce(o.ancestors, '{}') || a.org_id, null) as units) u
    join notification_route r
      on r.enabled
     and (r.customer_id is null or r.customer_id = a.customer_id)
     and (r.org_id is null or r.org_id = any (u.units))
     and (r.rule_id is null or r.rule_id = a.rule_id)
     and array_position(array['critical', 'major', 'minor', 'info'], r.min_severity)
         >= array_position(array['critical', 'major', 'minor', 'info'], a.severity)
$$;
comment on function vitals.routes_of_subjects(vitals.alert_subject[]) is 'The enabled routes that match alerts, which need not exist.';

-- The same for alerts, now.
create or replace function vitals.matching_routes(alert_ids bigint[])
returns table (
    alert_id bigint, severity text, status text, customer_id bigint, user_id bigint, assigned_to bigint, units bigint[], route_id bigint,
    channel text, audience text, contact_id bigint, after_seconds integer, repeat_seconds integer, repeat_times integer,
    on_acknowledged boolean, on_resolved boolean, merge_seconds integer, quiet_from time, quiet_until time, time_zone text
)
language sql
stable
set search_path = pg_catalog, public, pg_temp
as $$
    select
        r.alert_id, r.severity, r.status, r.customer_id, r.user_id, r.assigned_to, r.units, r.route_id,
        r.channel, r.audience, r.contact_id, r.after_seconds, r.repeat_seconds, r.repeat_times,
        r.on_acknowledged, r.on_resolved, r.merge_seconds, r.quiet_from, r.quiet_until, r.time_zone
    from vitals.routes_of_subjects(vitals.subjects_of_alerts(matching_routes.alert_ids)) r
$$;
comment on function vitals.matching_routes(bigint[]) is 'The enabled routes that match alerts.';

-- Contacts on duty at a time, each with the unit or tenant for which they are. A contact with an absence at that time is not on duty.
create or replace function vitals.contacts_on_duty(at_ts timestamptz default now())
returns table (contact_id bigint, org_id bigint, customer_id bigint, shift_id bigint)
language sql
stable
set search_path = pg_catalog, public, pg_temp
as $$
    select s.contact_id, s.org_id, s.customer_id, s.shift_id
    from shift s
    where s.kind = 'duty' and s.starts_at <= contacts_on_duty.at_ts and (s.ends_at is null or s.ends_at > contacts_on_duty.at_ts)
      and (
          s.from_time is null
          or vitals.in_effect(contacts_on_duty.at_ts, s.from_time, s.until_time, s.weekly_days, coalesce(s.time_zone, vitals.default_zone()))
      )
      and not exists (
          select from shift a
          where a.contact_id = s.contact_id and a.kind = 'absence'
            and a.starts_at <= contacts_on_duty.at_ts and a.ends_at > contacts_on_duty.at_ts
      )
$$;
comment on function vitals.contacts_on_duty(timestamptz) is 'The contacts on duty at a time (NULL rows of org_id: of the whole tenant).';

-- The addresses the routes lead to, for alerts that need not exist, each at its own time: one row per alert, route and address.
create or replace function vitals.audience_of_subjects(subjects vitals.alert_subject[])
returns table (
    alert_id bigint, severity text, channel text, address text, contact_id bigint, route_id bigint,
    after_seconds integer, on_resolved boolean, merge_seconds integer, quiet_from time, quiet_until time, time_zone text,
    audience text, repeat_seconds integer, repeat_times integer, on_acknowledged boolean
)
language sql
stable
set search_path = pg_catalog, public, pg_temp
as $$
    with matched as materialized (
        select * from vitals.routes_of_subjects(audience_of_subjects.subjects)
    ),
    -- The unit nearest to the wearer that has shifts which are not over, else the tenant.
    rota as (
        select m.alert_id, m.route_id, m.channel, m.at_ts, nearest.org_id, nearest.customer_id
        from matched m
        cross join lateral (
            select s.org_id, s.customer_id
            from shift s
            where s.kind = 'duty' and (s.ends_at is null or s.ends_at > m.at_ts)
              and (s.org_id = any (m.units) or s.customer_id = m.customer_id)
            order by array_position(m.units, s.org_id) desc nulls last
            limit 1
        ) nearest
        where m.audience = 'on_duty'
    ),
    duty as materialized (
        select t.at_ts, d.contact_id, d.org_id, d.customer_id
        from (select distinct m.at_ts from matched m where m.audience = 'on_duty') t
        cross join lateral vitals.contacts_on_duty(t.at_ts) d
    ),
    on_duty as (
        select r.alert_id, r.route_id, d.contact_id, r.channel
        from rota r
        join duty d on d.at_ts = r.at_ts and (d.org_id = r.org_id or r.org_id is null and d.customer_id = r.customer_id)
        union
        -- Whoever the alert is assigned to, unless their own shifts say that they are off.
        select m.alert_id, m.route_id, m.assigned_to, m.channel
        from matched m
        where m.audience = 'on_duty' and m.assigned_to is not null
          and (
              exists (select from duty d where d.at_ts = m.at_ts and d.contact_id = m.assigned_to)
              or not exists (
                  select from shift s
                  where s.contact_id = m.assigned_to and (s.ends_at is null or s.ends_at > m.at_ts)
              )
          )
    ),
    reached_on_duty as materialized (
        select o.alert_id, o.route_id, o.contact_id
        from on_duty o
        join contact_address ca on ca.contact_id = o.contact_id and ca.channel = o.channel and ca.enabled
    ),
    -- The unit nearest to the wearer that has a manager who can be reached this way.
    answering as (
        select m.alert_id, m.route_id, nearest.org_id
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
           or m.audience = 'on_duty' and not exists (
               select from reached_on_duty d where d.alert_id = m.alert_id and d.route_id = m.route_id
           )
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
        select d.alert_id, d.route_id, d.contact_id from reached_on_duty d
        union
        select w.alert_id, w.route_id, g.contact_id
        from answering w
        join org_manager g on g.org_id = w.org_id
    )
    select m.alert_id, m.severity, m.channel, ca.address, ca.contact_id, m.route_id, m.after_seconds, m.on_resolved,
           m.merge_seconds, m.quiet_from, m.quiet_until, m.time_zone,
           m.audience, m.repeat_seconds, m.repeat_times, m.on_acknowledged
    from audience t
    join matched m on m.alert_id = t.alert_id and m.route_id = t.route_id
    join contact_address ca on ca.contact_id = t.contact_id and ca.channel = m.channel and ca.enabled
$$;
comment on function vitals.audience_of_subjects(vitals.alert_subject[]) is 'Which addresses the enabled routes lead to for alerts, which need not exist, each at its time; silences and quiet hours not considered.';

-- The same for alerts, now.
create or replace function vitals.alert_audience(alert_ids bigint[])
returns table (
    alert_id bigint, severity text, channel text, address text, contact_id bigint, route_id bigint,
    after_seconds integer, on_resolved boolean, merge_seconds integer, quiet_from time, quiet_until time, time_zone text,
    audience text, repeat_seconds integer, repeat_times integer, on_acknowledged boolean
)
language sql
stable
set search_path = pg_catalog, public, pg_temp
as $$
    select * from vitals.audience_of_subjects(vitals.subjects_of_alerts(alert_audience.alert_ids))
$$;
comment on function vitals.alert_audience(bigint[]) is 'Which addresses the enabled routes lead to for these alerts now, silences and quiet hours not considered.';
