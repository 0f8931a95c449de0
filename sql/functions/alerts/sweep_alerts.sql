-- Changes of alerts that time causes, called by the scheduler of the service: alerts expire, devices stop and start to send.
-- Each function returns whether there is anything to publish or send; any number of instances may call it.
-- Locks: the alerts; those of alert_locks.sql where a function says so. One sweep runs at a time (alert_sweep.sweep).

-- Resolves open alerts without a breach for the expire_seconds of their rule: at most 1000 at a time.
-- Locks: those of alert_locks.sql for their devices, so that no batch that is evaluated at the same time overwrites it.
create or replace function vitals.expire_alerts() returns boolean
language plpgsql
set search_path = pg_catalog, public, pg_temp
as $$
declare
    due     record;
    changed vitals.alert_changes;
begin
    select array_agg(o.alert_id) as alert_ids, array_agg(o.device_sn) as device_sns into due
    from (
        select a.alert_id, a.device_sn
        from alert a join alert_rule r using (rule_id)
        where a.status <> 'resolved' and a.last_ts + make_interval(secs => r.expire_seconds) < now()
        order by a.last_ts
        limit 1000
    ) as o;
    if due.alert_ids is null then
        return false;
    end if;
    perform vitals.lock_alerts(due.device_sns);
    perform vitals.lock_event_alerts(due.device_sns);
    with over as (
        update alert a
        set status = 'resolved', resolution = 'expired', resolved_at = clock_timestamp(),
            ended_ts = a.last_ts + make_interval(secs => r.expire_seconds), updated_at = vitals.next_updated_at(a.updated_at)
        from alert_rule r
        where r.rule_id = a.rule_id and a.status <> 'resolved' and a.last_ts + make_interval(secs => r.expire_seconds) < now()
          and a.alert_id = any (due.alert_ids)
        returning a.alert_id
    ), acted as (
        insert into alert_action (alert_id, action, note) select alert_id, 'resolved', 'expired' from over
    )
    select coalesce(array_agg(alert_id), '{}'), '{}', coalesce(array_agg(alert_id), '{}'), '{}' into changed from over;
    return vitals.publish_alert_changes(changed);
end
$$;
comment on function vitals.expire_alerts() is 'Resolves open alerts without a breach for the expire_seconds of their rule.';

-- Since when the service has been able to receive and store uploads without a break. NULL: it is not able to now.
-- Locks: none.
create or replace function vitals.reception_began_at() returns timestamptz
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
    select began_at from vitals.reception_period
    where last_at >= clock_timestamp() - interval '30 seconds'
    order by began_at desc limit 1
$$;
comment on function vitals.reception_began_at() is 'Since when the service has been able to receive and store uploads without a break. NULL: it is not able to now.';

-- Records that the service can receive and store uploads now. Every instance calls it every few seconds; after half a minute without a
-- call a new period begins. A restart that is shorter is no outage: watches keep their samples that long.
-- Locks: the row of the present period.
create or replace function vitals.record_reception() returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    moment constant timestamptz := clock_timestamp();
begin
    update vitals.reception_period p set last_at = moment
    where p.began_at = (select max(o.began_at) from vitals.reception_period o)
      and p.last_at >= moment - interval '30 seconds' and p.last_at < moment;
    if not found and not exists (select from vitals.reception_period o where o.last_at >= moment) then
        insert into vitals.reception_period (began_at, last_at)
        select case when exists (select from vitals.reception_period) then moment else '-infinity' end, moment
        on conflict do nothing;
    end if;
end
$$;
comment on function vitals.record_reception() is 'Records that the service can receive and store uploads now.';

-- Devices for which a silence rule may fire: heard in the last week, but not in the last silent_seconds, all of which the service could
-- receive, and that live in this cell. A row counts by its time, corrected by what the clock of the device is behind, and never later than its receipt: a row dated
-- ahead does not make a device heard until then. Each device costs one descent of the key in the newest chunks.
-- Parameters: the rule; the devices (NULL: all). Result: when they were last heard, and the owner and place then.
create or replace function vitals.silent_devices(rule alert_rule, device_sns text[])
returns table (
    device_sn text, ts timestamptz, customer_id bigint, org_id bigint, user_id bigint,
    latitude double precision, longitude double precision, altitude double precision
)
language plpgsql stable
set search_path = pg_catalog, public, pg_temp
set plan_cache_mode = force_custom_plan
as $$
#variable_conflict use_column
declare
    since  constant timestamptz := now() - make_interval(secs => rule.silent_seconds);
    behind constant interval := make_interval(secs => greatest(0, (select max(d.clock_offset_seconds) from device d)));
    -- For the planner, to leave out chunks.
    oldest constant timestamptz := since - interval '7 days' - behind;
    newest constant timestamptz := since - behind;
begin
    if coalesce(vitals.reception_began_at() > since, true) then
        return;
    end if;
    return query
        with silent as materialized (
            select d.device_sn, c.behind
            from device d
            cross join lateral (select make_interval(secs => coalesce(d.clock_offset_seconds, 0)) as behind) as c
            left join lateral (
                select h.ts
                from health_data h
                where h.device_sn = d.device_sn and h.ts > newest and h.ts > since - c.behind and h.received_at > since
                order by h.ts desc limit 1
            ) as heard on true
            where heard.ts is null and (silent_devices.device_sns is null or d.device_sn = any (silent_devices.device_sns))
        )
        select s.device_sn, l.ts, l.customer_id, l.org_id, l.user_id, l.latitude, l.longitude, l.altitude
        from silent s
        cross join lateral (
            select case when s.behind = interval '0' then least(n.ts, n.received_at) else n.received_at end as ts, n.customer_id, n.org_id, n.user_id, n.latitude, n.longitude, n.altitude
            from (
                -- A few, because the newest may be dated ahead.
                select h.*
                from health_data h
                where h.device_sn = s.device_sn and h.ts >= oldest and h.ts >= since - interval '7 days' - s.behind
                order by h.ts desc limit 10
            ) as n
            order by 1 desc limit 1
        ) as l
        where l.ts <= since and (rule.device_sn is null or s.device_sn = rule.device_sn)
          and not vitals.lives_elsewhere(l.customer_id, s.device_sn)
          and vitals.rule_applies(
              vitals.rule_scope(rule.customer_id, rule.org_id, rule.user_id, rule.device_sn), coalesce(rule.replaces_rule_id, rule.rule_id),
              vitals.row_scopes(l.customer_id, l.org_id, l.user_id, s.device_sn)
          )
          and not exists (
              select from alert a
              where a.device_sn = s.device_sn and a.rule_id = rule.rule_id and (a.status <> 'resolved' or a.started_ts >= l.ts)
          );
end
$$;
comment on function vitals.silent_devices(alert_rule, text[]) is 'Devices that are silent by a rule and have no alert for it.';

-- Raises and ends the alerts of silence rules. A device that was silent before last week, or since before its last alert, raises no
-- new alert.
create or replace function vitals.evaluate_silence() returns boolean
language plpgsql
set search_path = pg_catalog, public, pg_temp
set plan_cache_mode = force_custom_plan
as $$
declare
    rules      alert_rule[];
    rule       alert_rule;
    silent     text[];
    rule_ids   bigint[] := '{}';
    device_sns text[] := '{}';
    changed    vitals.alert_changes := row('{}', '{}', '{}', '{}');
    more       vitals.alert_changes;
begin
    select coalesce(array_agg(r order by r.rule_id), '{}') into rules from alert_rule r where r.enabled and r.kind = 'silence';
    foreach rule in array rules loop
        silent := array(select d.device_sn from vitals.silent_devices(rule, null) as d);
        rule_ids := rule_ids || array_fill(rule.rule_id, array[cardinality(silent)]);
        device_sns := device_sns || silent;
    end loop;
    if cardinality(device_sns) = 0 and not exists (select from alert a where a.kind = 'silence' and a.status <> 'resolved') then
        return false;
    end if;
    foreach rule in array rules loop
        more := vitals.write_silence_alerts(rule, array(
            select s.device_sn from unnest(rule_ids, device_sns) as s (rule_id, device_sn) where s.rule_id = rule.rule_id
        ));
        changed := row(changed.changed || more.changed, changed.fired || more.fired, changed.resolved || more.resolved, changed.raised);
    end loop;
    return vitals.publish_alert_changes(changed);
end
$$;
comment on function vitals.evaluate_silence() is 'Raises and ends the alerts of silence rules.';

-- Ends the alerts of a silence rule for devices that send again, and raises alerts for those of the given devices that are still silent.
create or replace function vitals.write_silence_alerts(rule alert_rule, device_sns text[]) returns vitals.alert_changes
language plpgsql
set search_path = pg_catalog, public, pg_temp
set plan_cache_mode = force_custom_plan
as $$
declare
    since constant timestamptz := now() - make_interval(secs => rule.silent_seconds);
    begun bigint[];
    ended bigint[];
begin
    with recovered as (
        update alert a
        set status = 'resolved', resolution = 'recovered', resolved_at = clock_timestamp(), ended_ts = h.ts,
            judged_ts = greatest(a.judged_ts, h.ts), updated_at = vitals.next_updated_at(a.updated_at)
        from alert b
        left join device d on d.device_sn = b.device_sn
        cross join lateral (select make_interval(secs => coalesce(d.clock_offset_seconds, 0)) as behind) as c
        cross join lateral (
            select case when c.behind = interval '0' then least(n.ts, n.received_at) else n.received_at end as ts
            from health_data n
            where n.device_sn = b.device_sn and n.ts > greatest(since, b.started_ts) - c.behind
              and n.received_at > since and n.received_at > b.started_ts
            order by n.ts limit 1
        ) as h
        where a.alert_id = b.alert_id and b.rule_id = rule.rule_id and b.status <> 'resolved'
        returning a.alert_id
    ), acted as (
        insert into alert_action (alert_id, action, note) select alert_id, 'resolved', 'recovered' from recovered
    )
    select coalesce(array_agg(alert_id), '{}') into ended from recovered;

    with silent as materialized (
        select s.*
        from vitals.silent_devices(rule, write_silence_alerts.device_sns) as s
        where not exists (
              select from alert a
              where a.device_sn = s.device_sn and a.rule_id = rule.rule_id
                and (a.customer_id, a.org_id, a.user_id) is not distinct from (s.customer_id, s.org_id, s.user_id)
                and a.resolved_at > now() - make_interval(secs => rule.cooldown_seconds)
          )
          and vitals.in_effect(
              now(), rule.effective_from, rule.effective_until, rule.effective_days, coalesce(rule.time_zone, vitals.default_zone())
          )
    ), raised as (
        insert into alert (
            device_sn, rule_id, rule_version, kind, severity, peak_severity, customer_id, org_id, user_id, started_ts, fired_ts, last_ts,
            judged_ts, latitude, longitude, altitude, message, translations
        )
        select
            s.device_sn, rule.rule_id, rule.version, rule.kind, rule.severity, rule.severity, s.customer_id, s.org_id, s.user_id,
            s.ts, f.ts, f.ts, f.ts, s.latitude, s.longitude, s.altitude,
            vitals.alert_message(
                rule, s.device_sn, (rule.silent_seconds / 60)::text || ' min', 1, s.ts, s.customer_id, s.org_id, s.user_id
            ),
            vitals.alert_translations(
                rule, s.device_sn, (rule.silent_seconds / 60)::text || ' min', 1, s.ts, s.customer_id, s.org_id, s.user_id
            )
        from silent s
        cross join lateral (select s.ts + make_interval(secs => rule.silent_seconds) as ts) as f
        returning alert_id
    ), acted as (
        insert into alert_action (alert_id, action) select alert_id, 'fired' from raised
    )
    select coalesce(array_agg(alert_id), '{}') into begun from raised;
    return row(begun || ended, begun, ended, '{}'::bigint[]);
end
$$;
comment on function vitals.write_silence_alerts(alert_rule, text[]) is 'Writes the alerts of a silence rule.';
