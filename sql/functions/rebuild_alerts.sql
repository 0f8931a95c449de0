-- Rows came late: the alerts of a rule and a device around them are judged again from the stored rows, and those there are
-- brought in line. An alert that the rows no longer bear out is kept, for people were told, and marked retracted; what a person
-- resolved is not touched.
--   rule, device_sn      the pair
--   first_ts, last_ts    time range of the rows that came
--   pending              batches that are still to be judged
-- The stretch of time begins where no alert was on, and is widened until none is at its end.
create or replace function vitals.rebuild_alerts(
    rule alert_rule, device_sn text, first_ts timestamptz, last_ts timestamptz, pending bigint[]
) returns vitals.alert_changes
language plpgsql
set search_path = pg_catalog, public, pg_temp
as $$
declare
    cooldown  constant interval := make_interval(secs => rule.cooldown_seconds);
    -- As far as a row has a say in those after it.
    reach     constant interval := make_interval(secs => rule.window_seconds)
        + coalesce(vitals.rule_reach(rule.conditions, rule.window_seconds), interval '0');
    step      interval := interval '6 hours';
    from_ts   timestamptz;
    until_ts  timestamptz;
    newest_ts timestamptz;
    before    record;
    derived   vitals.derived_alert[];
begin
    select least(rebuild_alerts.first_ts, min(a.started_ts)) into from_ts
    from alert a
    where a.device_sn = rebuild_alerts.device_sn and a.rule_id = rule.rule_id
      and a.started_ts <= rebuild_alerts.first_ts
      and coalesce(a.ended_ts, 'infinity'::timestamptz) >= rebuild_alerts.first_ts - cooldown
      and coalesce(a.resolution, '') not in ('manual', 'rule_disabled', 'retracted');
    from_ts := coalesce(from_ts, rebuild_alerts.first_ts);
    if rule.kind = 'event' then
        select max(e.ts) into newest_ts from device_event e
        where e.device_sn = rebuild_alerts.device_sn and e.event_type = rule.event_type;
    else
        select h.ts into newest_ts from health_data h where h.device_sn = rebuild_alerts.device_sn order by h.ts desc limit 1;
    end if;
    loop
        select a.started_ts, a.last_ts, a.ended_ts into before
        from alert a
        where a.device_sn = rebuild_alerts.device_sn and a.rule_id = rule.rule_id and a.started_ts < from_ts
          and coalesce(a.resolution, '') not in ('manual', 'rule_disabled', 'retracted')
        order by a.started_ts desc
        limit 1;
        until_ts := rebuild_alerts.last_ts + reach + step;
        if until_ts >= newest_ts or step > interval '60 days' then
            until_ts := 'infinity';
        end if;
        select array_agg(d order by d.seq) into derived
        from vitals.derive_alerts(
            array[rule], array[1], array[rebuild_alerts.device_sn], array[from_ts], array[until_ts],
            array[false], array[before.ended_ts], array[before.last_ts], rebuild_alerts.pending, from_ts, until_ts
        ) as d;
        if derived[1].seq = 0 then
            -- It opens the alert before again, which therefore is judged with it.
            from_ts := before.started_ts;
            continue;
        end if;
        exit when until_ts = 'infinity'
            or not exists (
                select from unnest(derived) as d where d.ended_ts is null or d.ended_ts + cooldown >= until_ts
            )
            and not exists (
                select from alert a
                where a.device_sn = rebuild_alerts.device_sn and a.rule_id = rule.rule_id
                  and a.started_ts <= until_ts + cooldown
                  and coalesce(a.ended_ts, 'infinity'::timestamptz) >= until_ts - cooldown
                  and coalesce(a.resolution, '') not in ('manual', 'rule_disabled', 'retracted')
            );
        step := step * 4;
    end loop;
    return vitals.reconcile_alerts(rule, rebuild_alerts.device_sn, from_ts, until_ts, coalesce(derived, '{}'));
end
$$;
comment on function vitals.rebuild_alerts(alert_rule, text, timestamptz, timestamptz, bigint[]) is
    'Judges the alerts of a rule and a device around rows that came late again.';

-- Brings the alerts of a rule and a device that began in a stretch of time in line with what was derived for it. An alert
-- stays the one it is as long as it shares any time with what was derived.
create or replace function vitals.reconcile_alerts(
    rule alert_rule, device_sn text, from_ts timestamptz, until_ts timestamptz, derived vitals.derived_alert[]
) returns vitals.alert_changes
language plpgsql
set search_path = pg_catalog, public, pg_temp
as $$
declare
    stored   alert[];
    taken    bigint[] := '{}';
    ids      bigint[] := '{}';
    each     alert;
    one      vitals.derived_alert;
    place    integer;
    id       bigint;
    changed  vitals.alert_changes := row('{}', '{}', '{}');
    ends     boolean;
begin
    select array_agg(a order by a.started_ts, a.alert_id) into stored
    from alert a
    where a.device_sn = reconcile_alerts.device_sn and a.rule_id = rule.rule_id
      and a.started_ts >= from_ts and a.started_ts <= until_ts
      and coalesce(a.resolution, '') not in ('manual', 'rule_disabled', 'retracted');
    stored := coalesce(stored, '{}');

    foreach one in array derived loop
        id := null;
        foreach each in array stored loop
            if each.alert_id <> all (taken)
                and each.started_ts <= coalesce(one.ended_ts, 'infinity')
                and coalesce(each.ended_ts, 'infinity') >= one.started_ts
            then
                id := each.alert_id;
                taken := taken || id;
                exit;
            end if;
        end loop;
        ids := ids || id;
    end loop;

    foreach each in array stored loop
        if each.alert_id <> all (taken) then
            update alert a
            set status = 'resolved', resolution = 'retracted', resolved_at = coalesce(a.resolved_at, clock_timestamp()),
                ended_ts = coalesce(a.ended_ts, a.last_ts), updated_at = clock_timestamp()
            where a.alert_id = each.alert_id;
            insert into alert_action (alert_id, action, note)
            values (each.alert_id, 'retracted', 'readings that came late do not bear it out');
            changed.changed := changed.changed || each.alert_id;
            if each.status <> 'resolved' then
                changed.resolved := changed.resolved || each.alert_id;
            end if;
        end if;
    end loop;

    -- Those that have ended first, or two would be open at once.
    foreach ends in array array[true, false] loop
        for place in 1 .. cardinality(derived) loop
            one := derived[place];
            continue when (one.ended_ts is not null) <> ends;
            changed := vitals.write_alert(rule, reconcile_alerts.device_sn, ids[place], one, changed);
        end loop;
    end loop;
    return changed;
end
$$;
comment on function vitals.reconcile_alerts(alert_rule, text, timestamptz, timestamptz, vitals.derived_alert[]) is
    'Brings alerts in line with what was derived from the stored rows.';

-- Writes one derived alert: into the alert there is, or (alert_id is NULL) as a new one. Returns `changed` with what it did.
create or replace function vitals.write_alert(
    rule alert_rule, device_sn text, alert_id bigint, one vitals.derived_alert, changed vitals.alert_changes
) returns vitals.alert_changes
language plpgsql
set search_path = pg_catalog, public, pg_temp
as $$
declare
    ending  constant text := case when one.ended_ts is null then null when one.expired then 'expired' else 'recovered' end;
    was     alert;
    id      bigint := write_alert.alert_id;
    is_new  constant boolean := write_alert.alert_id is null;
    goes_live boolean;
    ends    boolean;
begin
    if is_new then
        insert into alert (
            device_sn, rule_id, rule_version, kind, severity, metric, event_type, customer_id, org_id, user_id,
            status, resolution, resolved_at, historical, started_ts, fired_ts, last_ts, ended_ts, judged_ts,
            breach_count, last_value, peak_value, last_text, latitude, longitude, altitude, message
        ) values (
            write_alert.device_sn, rule.rule_id, rule.version, rule.kind, rule.severity, rule.metric, rule.event_type,
            one.customer_id, one.org_id, one.user_id,
            case when ending is null then 'firing' else 'resolved' end, ending, case when ending is not null then clock_timestamp() end,
            one.late, one.started_ts, one.fired_ts, one.last_ts, one.ended_ts, one.judged_ts,
            one.breach_count, one.last_value, one.peak_value, one.last_text, one.latitude, one.longitude, one.altitude,
            vitals.alert_message(
                rule, write_alert.device_sn, one.fired_value, one.breach_count,
                one.fired_ts, one.customer_id, one.org_id, one.user_id
            )
        ) returning alert.alert_id into id;
        goes_live := not one.late;
        ends := ending is not null and not one.late;
        insert into alert_action (alert_id, action, note)
        values (id, 'fired', case when one.late then 'historical: its readings came late' end);
    else
        select * into was from alert a where a.alert_id = id;
        update alert a
        set started_ts = one.started_ts, fired_ts = one.fired_ts, last_ts = one.last_ts, ended_ts = one.ended_ts,
            judged_ts = greatest(one.judged_ts, one.last_ts), breach_count = one.breach_count,
            last_value = one.last_value, peak_value = one.peak_value, last_text = one.last_text,
            historical = a.historical and one.late,
            status = case when ending is not null then 'resolved' when a.status = 'resolved' then 'firing' else a.status end,
            resolution = ending,
            resolved_at = case when ending is not null then coalesce(a.resolved_at, clock_timestamp()) end,
            acknowledged_at = case when a.status = 'resolved' and ending is null then null else a.acknowledged_at end,
            acknowledged_by = case when a.status = 'resolved' and ending is null then null else a.acknowledged_by end,
            updated_at = clock_timestamp()
        where a.alert_id = id;
        goes_live := was.historical and not one.late;
        ends := was.status <> 'resolved' and ending is not null;
        if was.status = 'resolved' and ending is null then
            insert into alert_action (alert_id, action, note) values (id, 'reopened', 'by readings that came late');
        end if;
        if goes_live then
            insert into alert_action (alert_id, action, note) values (id, 'fired', 'no longer historical');
        end if;
    end if;
    if ending is not null and (is_new or was.status <> 'resolved') then
        insert into alert_action (alert_id, action, note) values (id, 'resolved', ending);
    end if;
    changed.changed := changed.changed || id;
    if goes_live then
        changed.fired := changed.fired || id;
    end if;
    if ends then
        changed.resolved := changed.resolved || id;
    end if;
    return changed;
end
$$;
comment on function vitals.write_alert(alert_rule, text, bigint, vitals.derived_alert, vitals.alert_changes) is
    'Writes one derived alert, into the one there is or as a new one.';
