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

-- Devices for which a silence rule may fire: the newest reading is of the last week, and silent_seconds old. Each
-- device costs one descent of the key in the newest chunks.
create or replace function vitals.silent_devices(rule alert_rule) returns text[]
language plpgsql stable
set search_path = pg_catalog, public, pg_temp
set plan_cache_mode = force_custom_plan
as $$
declare
    since  constant timestamptz := now() - make_interval(secs => rule.silent_seconds);
    oldest constant timestamptz := since - interval '7 days';
begin
    return array(
        select d.device_sn
        from device d
        cross join lateral (
            select h.ts, h.customer_id, h.org_id, h.user_id
            from health_data h
            where h.device_sn = d.device_sn and h.ts >= oldest
            order by h.ts desc limit 1
        ) as l
        where l.ts <= since and (rule.device_sn is null or d.device_sn = rule.device_sn)
          and vitals.rule_applies(
              vitals.rule_scope(rule.customer_id, rule.org_id, rule.user_id, rule.device_sn), coalesce(rule.replaces_rule_id, rule.rule_id),
              vitals.row_scopes(l.customer_id, l.org_id, l.user_id, d.device_sn)
          )
          and not exists (
              select from alert a
              where a.device_sn = d.device_sn and a.rule_id = rule.rule_id and (a.status <> 'resolved' or a.started_ts >= l.ts)
          )
    );
end
$$;
comment on function vitals.silent_devices(alert_rule) is 'Devices that are silent by a rule and have no alert for it.';

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
        silent := vitals.silent_devices(rule);
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
        cross join lateral (
            select h.ts from health_data h
            where h.device_sn = b.device_sn and h.ts > since and h.ts > b.started_ts
            order by h.ts limit 1
        ) as h
        where a.alert_id = b.alert_id and b.rule_id = rule.rule_id and b.status <> 'resolved'
        returning a.alert_id
    ), acted as (
        insert into alert_action (alert_id, action, note) select alert_id, 'resolved', 'recovered' from recovered
    )
    select coalesce(array_agg(alert_id), '{}') into ended from recovered;

    with silent as materialized (
        select d.device_sn, l.*
        from unnest(write_silence_alerts.device_sns) as d (device_sn)
        cross join lateral (
            select h.ts, h.customer_id, h.org_id, h.user_id, h.latitude, h.longitude, h.altitude
            from health_data h
            where h.device_sn = d.device_sn and h.ts >= since - interval '7 days'
            order by h.ts desc limit 1
        ) as l
        where l.ts <= since
          and vitals.rule_applies(
              vitals.rule_scope(rule.customer_id, rule.org_id, rule.user_id, rule.device_sn), coalesce(rule.replaces_rule_id, rule.rule_id),
              vitals.row_scopes(l.customer_id, l.org_id, l.user_id, d.device_sn)
          )
          and not exists (
              select from alert a
              where a.device_sn = d.device_sn and a.rule_id = rule.rule_id
                and (a.status <> 'resolved' or a.started_ts >= l.ts
                     or a.resolved_at > now() - make_interval(secs => rule.cooldown_seconds))
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
