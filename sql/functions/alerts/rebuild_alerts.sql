-- Late rows: the alerts around them are evaluated again from the stored rows, and the stored alerts are updated. An alert that the
-- rows no longer support is kept, because people were notified, and marked as retracted; an alert that a person resolved stays as it is.
-- Called by evaluate_pairs. Each time range starts where no alert was open, and is extended until none is open at its end.

-- Parameters, per pair (arrays of one length): index of its rule in `rules`, its device and its owner, the time range of the new rows.
create or replace function vitals.rebuild_alerts(
    rules alert_rule[], rule_at integer[], device_sns text[], owners vitals.owner[], first_ts timestamptz[], last_ts timestamptz[]
) returns vitals.alert_changes
language plpgsql
set search_path = pg_catalog, public, pg_temp
as $$
declare
    todo     integer[] := array(select generate_subscripts(rebuild_alerts.rule_at, 1));
    retry    integer[];
    from_ts  timestamptz[] := array_fill(null::timestamptz, array[cardinality(rule_at)]);
    steps    interval[] := array_fill(interval '6 hours', array[cardinality(rule_at)]);
    stretch  record;
    derived  vitals.derived_alert[];
    own      vitals.derived_alert[];
    place    integer;
    changed  vitals.alert_changes := row('{}', '{}', '{}', '{}');
begin
    while cardinality(todo) > 0 loop
        select
            array_agg(s.from_ts order by t.ord) as from_ts, array_agg(s.until_ts order by t.ord) as until_ts,
            array_agg(s.ended_ts order by t.ord) as ended_ts, array_agg(s.alert_last_ts order by t.ord) as alert_last_ts,
            array_agg(s.started_ts order by t.ord) as started_ts,
            array_agg(rebuild_alerts.rule_at[t.place] order by t.ord) as rule_at,
            array_agg(rebuild_alerts.device_sns[t.place] order by t.ord) as device_sns,
            array_agg(rebuild_alerts.owners[t.place] order by t.ord) as owners,
            array_fill(false, array[cardinality(todo)]) as seed_on, array_fill(null::integer, array[cardinality(todo)]) as seed_level,
            min(s.from_ts) as scan_from, max(s.until_ts) as scan_until
        into stretch
        from unnest(todo) with ordinality as t (place, ord)
        cross join lateral vitals.rebuild_range(
            rebuild_alerts.rules[rebuild_alerts.rule_at[t.place]], rebuild_alerts.device_sns[t.place], rebuild_alerts.owners[t.place],
            rebuild_alerts.first_ts[t.place], rebuild_alerts.last_ts[t.place], from_ts[t.place], steps[t.place]
        ) as s;
        select array_agg(d order by d.ord, d.seq) into derived
        from vitals.derive_alerts(
            rebuild_alerts.rules, stretch.rule_at, stretch.device_sns, stretch.owners, stretch.from_ts, stretch.until_ts,
            stretch.seed_on, stretch.ended_ts, stretch.alert_last_ts, stretch.seed_level, false, stretch.scan_from, stretch.scan_until
        ) as d;
        retry := '{}';
        for each_ord in 1 .. cardinality(todo) loop
            place := todo[each_ord];
            own := array(select d from unnest(derived) as d where d.ord = each_ord order by d.seq);
            if own[1].seq = 0 then
                -- It reopens the previous alert, which is therefore evaluated with it.
                from_ts[place] := stretch.started_ts[each_ord];
                retry := retry || place;
            elsif vitals.ends_without_alert(
                rebuild_alerts.rules[rebuild_alerts.rule_at[place]], rebuild_alerts.device_sns[place], rebuild_alerts.owners[place],
                stretch.until_ts[each_ord], own
            ) then
                changed := vitals.reconcile_alerts(
                    rebuild_alerts.rules[rebuild_alerts.rule_at[place]], rebuild_alerts.device_sns[place], rebuild_alerts.owners[place],
                    stretch.from_ts[each_ord], stretch.until_ts[each_ord], own, changed
                );
            else
                steps[place] := steps[place] * 4;
                retry := retry || place;
            end if;
        end loop;
        todo := retry;
    end loop;
    return changed;
end
$$;
comment on function vitals.rebuild_alerts(alert_rule[], integer[], text[], vitals.owner[], timestamptz[], timestamptz[]) is
    'Evaluates the alerts around late rows again.';

-- The time range to evaluate again, and the alert before it. `known_from` is its start, if known; NULL: it starts with the alert that
-- contains the rows, or with the rows.
create or replace function vitals.rebuild_range(
    rule alert_rule, device_sn text, owner vitals.owner, first_ts timestamptz, last_ts timestamptz, known_from timestamptz, step interval,
    out from_ts timestamptz, out until_ts timestamptz,
    out started_ts timestamptz, out alert_last_ts timestamptz, out ended_ts timestamptz
)
language plpgsql stable
set search_path = pg_catalog, public, pg_temp
as $$
#variable_conflict use_column
declare
    newest_ts timestamptz;
begin
    from_ts := rebuild_range.known_from;
    if from_ts is null then
        select least(rebuild_range.first_ts, min(a.started_ts)) into from_ts
        from alert a
        where a.device_sn = rebuild_range.device_sn and a.rule_id = rule.rule_id
          and (a.customer_id, a.org_id, a.user_id) is not distinct from (owner.customer_id, owner.org_id, owner.user_id)
          and a.started_ts <= rebuild_range.first_ts
          and coalesce(a.ended_ts, 'infinity'::timestamptz)
              >= rebuild_range.first_ts - make_interval(secs => rule.cooldown_seconds)
          and vitals.accepts_readings(a.resolution);
    end if;
    if rule.kind = 'event' then
        select max(e.ts) into newest_ts from device_event e
        where e.device_sn = rebuild_range.device_sn and e.event_type = rule.event_type;
    else
        select h.ts into newest_ts from health_data h
        where h.device_sn = rebuild_range.device_sn
        order by h.ts desc limit 1;
    end if;
    -- As far as a row affects later ones, and a step more.
    until_ts := rebuild_range.last_ts + rebuild_range.step + make_interval(secs => rule.window_seconds)
        + coalesce(vitals.rule_lookback(rule.conditions, rule.window_seconds), interval '0');
    if until_ts >= newest_ts or rebuild_range.step > interval '60 days' then
        until_ts := 'infinity';
    end if;
    select a.started_ts, a.last_ts, a.ended_ts into started_ts, alert_last_ts, ended_ts
    from alert a
    where a.device_sn = rebuild_range.device_sn and a.rule_id = rule.rule_id
      and (a.customer_id, a.org_id, a.user_id) is not distinct from (owner.customer_id, owner.org_id, owner.user_id)
      and a.started_ts < rebuild_range.from_ts
      and vitals.accepts_readings(a.resolution)
    order by a.started_ts desc
    limit 1;
end
$$;
comment on function vitals.rebuild_range(alert_rule, text, vitals.owner, timestamptz, timestamptz, timestamptz, interval) is
    'The time range in which the alerts of a rule and a device are evaluated again.';

-- Whether no alert is open at the end of a time range, neither a derived nor a stored one.
create or replace function vitals.ends_without_alert(
    rule alert_rule, device_sn text, owner vitals.owner, until_ts timestamptz, derived vitals.derived_alert[]
) returns boolean
language sql stable
set search_path = pg_catalog, public, pg_temp
as $$
    select ends_without_alert.until_ts = 'infinity'
        or not exists (
            select from unnest(ends_without_alert.derived) as d
            where d.ended_ts is null or d.ended_ts + make_interval(secs => (rule).cooldown_seconds) >= ends_without_alert.until_ts
        )
        and not exists (
            select from alert a
            where a.device_sn = ends_without_alert.device_sn and a.rule_id = (rule).rule_id
              and (a.customer_id, a.org_id, a.user_id) is not distinct from ((owner).customer_id, (owner).org_id, (owner).user_id)
              and a.started_ts <= ends_without_alert.until_ts + make_interval(secs => (rule).cooldown_seconds)
              and coalesce(a.ended_ts, 'infinity'::timestamptz)
                  >= ends_without_alert.until_ts - make_interval(secs => (rule).cooldown_seconds)
              and vitals.accepts_readings(a.resolution)
        )
$$;
comment on function vitals.ends_without_alert(alert_rule, text, vitals.owner, timestamptz, vitals.derived_alert[]) is
    'Whether no alert is open at the end of a time range.';

-- Updates the alerts of a rule and a device that started in a time range to what was derived for it. A stored alert keeps its
-- identity if it overlaps a derived one. Returns `changed` with the changes added.
create or replace function vitals.reconcile_alerts(
    rule alert_rule, device_sn text, owner vitals.owner, from_ts timestamptz, until_ts timestamptz,
    derived vitals.derived_alert[], changed vitals.alert_changes
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
    ends     boolean;
begin
    select array_agg(a order by a.started_ts, a.alert_id) into stored
    from alert a
    where a.device_sn = reconcile_alerts.device_sn and a.rule_id = rule.rule_id
      and (a.customer_id, a.org_id, a.user_id) is not distinct from (owner.customer_id, owner.org_id, owner.user_id)
      and a.started_ts >= from_ts and a.started_ts <= until_ts
      and vitals.accepts_readings(a.resolution);
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
                ended_ts = coalesce(a.ended_ts, a.last_ts), updated_at = vitals.next_updated_at(a.updated_at)
            where a.alert_id = each.alert_id;
            insert into alert_action (alert_id, action, note)
            values (each.alert_id, 'retracted', 'late readings do not support it');
            changed.changed := changed.changed || each.alert_id;
            if each.status <> 'resolved' then
                changed.resolved := changed.resolved || each.alert_id;
            end if;
        end if;
    end loop;

    -- The ended ones first, or two would be open at once.
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
comment on function vitals.reconcile_alerts(alert_rule, text, vitals.owner, timestamptz, timestamptz, vitals.derived_alert[], vitals.alert_changes) is
    'Updates alerts to what was derived from the stored rows.';

-- Writes one derived alert: into the stored alert, or (alert_id is NULL) as a new one. Returns `changed` with the changes added.
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
    raised  boolean := false;
    ends    boolean;
    severity_now  text := vitals.severity_of_level(rule, one.level);
    severity_peak text := vitals.severity_of_level(rule, one.peak_level);
begin
    if is_new then
        insert into alert (
            device_sn, rule_id, rule_version, kind, severity, peak_severity, metric, event_type, customer_id, org_id, user_id,
            status, resolution, resolved_at, historical, started_ts, fired_ts, last_ts, ended_ts, judged_ts,
            breach_count, last_value, peak_value, last_text, latitude, longitude, altitude, message, translations
        ) values (
            write_alert.device_sn, rule.rule_id, rule.version, rule.kind, severity_now, severity_peak, rule.metric,
            rule.event_type,
            one.customer_id, one.org_id, one.user_id,
            case when ending is null then 'firing' else 'resolved' end, ending, case when ending is not null then clock_timestamp() end,
            one.late, one.started_ts, one.fired_ts, one.last_ts, one.ended_ts, one.judged_ts,
            one.breach_count, one.last_value, one.peak_value, one.last_text, one.latitude, one.longitude, one.altitude,
            vitals.alert_message(
                vitals.rule_at_level(rule, one.fired_level), write_alert.device_sn, one.fired_value, one.breach_count,
                one.fired_ts, one.customer_id, one.org_id, one.user_id
            ),
            vitals.alert_translations(
                vitals.rule_at_level(rule, one.fired_level), write_alert.device_sn, one.fired_value, one.breach_count,
                one.fired_ts, one.customer_id, one.org_id, one.user_id
            )
        ) returning alert.alert_id into id;
        goes_live := not one.late;
        ends := ending is not null and not one.late;
        insert into alert_action (alert_id, action, note, severity)
        values (
            id, 'fired', case when one.late then 'historical: its readings came late' end, vitals.severity_of_level(rule, one.fired_level)
        );
        if one.level_values is not null then
            insert into alert_action (alert_id, action, severity, event_ts)
            select id, c.action, vitals.severity_of_level(rule, c.level), c.event_ts
            from vitals.level_actions(one.fired_level, one.level_values, one.level_ts) as c
            order by c.place;
        end if;
    else
        select * into was from alert a where a.alert_id = id;
        if one.level is null then
            severity_now := was.severity;
            severity_peak := was.peak_severity;
        end if;
        raised := not one.late and vitals.is_raised_by(rule, one, was);
        update alert a
        set started_ts = one.started_ts, fired_ts = one.fired_ts, last_ts = one.last_ts, ended_ts = one.ended_ts,
            judged_ts = greatest(one.judged_ts, one.last_ts), breach_count = one.breach_count,
            last_value = one.last_value, peak_value = one.peak_value, last_text = one.last_text,
            historical = a.historical and one.late, severity = severity_now, peak_severity = severity_peak,
            status = case when ending is not null then 'resolved' when a.status = 'resolved' or raised then 'firing' else a.status end,
            resolution = ending,
            resolved_at = case when ending is not null then coalesce(a.resolved_at, clock_timestamp()) end,
            acknowledged_at = case when (a.status = 'resolved' or raised) and ending is null then null else a.acknowledged_at end,
            acknowledged_by = case when (a.status = 'resolved' or raised) and ending is null then null else a.acknowledged_by end,
            message = case when raised then vitals.alert_message(
                vitals.rule_at_level(rule, one.level), a.device_sn, trim_scale(one.last_value)::text, one.breach_count, one.last_ts,
                one.customer_id, one.org_id, one.user_id
            ) else a.message end,
            translations = case when raised then vitals.alert_translations(
                vitals.rule_at_level(rule, one.level), a.device_sn, trim_scale(one.last_value)::text, one.breach_count, one.last_ts,
                one.customer_id, one.org_id, one.user_id
            ) else a.translations end,
            updated_at = vitals.next_updated_at(a.updated_at)
        where a.alert_id = id;
        goes_live := was.historical and not one.late;
        ends := was.status <> 'resolved' and ending is not null;
        if was.status = 'resolved' and ending is null then
            insert into alert_action (alert_id, action, note) values (id, 'reopened', 'by late readings');
        end if;
        if goes_live then
            insert into alert_action (alert_id, action, note, severity) values (id, 'fired', 'no longer historical', severity_now);
        end if;
        perform vitals.record_severity(rule, id, was, one, severity_now, severity_peak);
    end if;
    if ending is not null and (is_new or was.status <> 'resolved') then
        insert into alert_action (alert_id, action, note) values (id, 'resolved', ending);
    end if;
    changed.changed := changed.changed || id;
    if goes_live then
        changed.fired := changed.fired || id;
    elsif raised then
        changed.raised := changed.raised || id;
    end if;
    if ends then
        changed.resolved := changed.resolved || id;
    end if;
    return changed;
end
$$;
comment on function vitals.write_alert(alert_rule, text, bigint, vitals.derived_alert, vitals.alert_changes) is
    'Writes one derived alert, into the stored one or as a new one.';

-- Whether people are notified that a stored alert is graver than they know: now, or at its peak, by a reading that was not late.
create or replace function vitals.is_raised_by(rule alert_rule, one vitals.derived_alert, was alert) returns boolean
language sql immutable
set search_path = pg_catalog, public, pg_temp
as $$
    select exists (
        select
        from unnest((one).level_values, (one).level_late) as c (level, late)
        cross join lateral (select vitals.severity_rank(vitals.severity_of_level(rule, c.level)) as rank) as s
        where not c.late and (
            c.level = (one).level and s.rank > vitals.severity_rank((was).severity) or s.rank > vitals.severity_rank((was).peak_severity)
        )
    )
$$;
comment on function vitals.is_raised_by(alert_rule, vitals.derived_alert, alert) is
    'Whether people are notified that a stored alert is graver than they know.';

-- Records how the severity of a stored alert differs from what it was: its peak, then what it is now.
create or replace function vitals.record_severity(
    rule alert_rule, alert_id bigint, was alert, one vitals.derived_alert, now_severity text, peak_severity text
) returns void
language plpgsql
set search_path = pg_catalog, public, pg_temp
as $$
declare
    known text := was.severity;
    next  text;
begin
    foreach next in array array[
        case when vitals.severity_rank(record_severity.peak_severity) > vitals.severity_rank(was.peak_severity)
            then record_severity.peak_severity else known end,
        record_severity.now_severity
    ] loop
        continue when next = known;
        insert into alert_action (alert_id, action, severity, event_ts)
        values (
            record_severity.alert_id,
            case when vitals.severity_rank(next) > vitals.severity_rank(known) then 'raised' else 'lowered' end, next,
            coalesce((
                select max(c.ts)
                from unnest(one.level_values, one.level_ts) as c (level, ts)
                where vitals.severity_of_level(rule, c.level) = next
            ), one.fired_ts)
        );
        known := next;
    end loop;
end
$$;
comment on function vitals.record_severity(alert_rule, bigint, alert, vitals.derived_alert, text, text) is
    'Records how the severity of a stored alert differs from what it was.';
