-- Parts of the evaluation of a rule: its hours, its conditions, its message.
-- Before: derive_alerts, evaluate_alerts. Locks: none.

-- is_breach and accepts_readings, and metric_value and is_measured of metric.sql, are inlined into the calling statement; a SET clause would prevent that.

-- The time of a change to an alert that was last changed at `before`: now, but always later than `before`, even if the clock was set
-- back. The Redis view orders changes by it.
create or replace function vitals.next_updated_at(before timestamptz) returns timestamptz
language sql volatile
as $$
    select greatest(clock_timestamp(), before + interval '1 microsecond')
$$;
comment on function vitals.next_updated_at(timestamptz) is 'The time of a change to an alert: now, but later than its last change.';

-- Whether readings still change an alert: not after a person resolved it, its rule was disabled or it was retracted.
create or replace function vitals.accepts_readings(resolution text) returns boolean
language sql immutable
as $$ select coalesce(resolution, '') not in ('manual', 'rule_disabled', 'retracted') $$;
comment on function vitals.accepts_readings(text) is 'Whether readings still change an alert with this resolution; NULL: it is open.';

-- Every bound of every rule that is in force, of composite rules one a condition, of rules with levels those of the lowest. With the
-- scope of the rule and the rule that it replaces, or itself.
create or replace function vitals.bounds_in_force()
returns table (rule_id bigint, scope text, root_id bigint, metric text, min numeric, max numeric)
language sql stable
as $$
    select r.rule_id, vitals.rule_scope(r.customer_id, r.org_id, r.user_id, r.device_sn), coalesce(r.replaces_rule_id, r.rule_id),
        r.metric, r.min_value, r.max_value
    from public.alert_rule r where r.enabled and r.kind = 'threshold'
    union all
    select r.rule_id, vitals.rule_scope(r.customer_id, r.org_id, r.user_id, r.device_sn), coalesce(r.replaces_rule_id, r.rule_id),
        c.metric, c.min, c.max
    from public.alert_rule r, jsonb_to_recordset(r.conditions) as c (metric text, min numeric, max numeric)
    where r.enabled and r.kind = 'composite'
$$;
comment on function vitals.bounds_in_force() is 'Every bound of every rule that is in force.';

-- Whether breaches count at a time. Days are those on which the hours began: Monday 22:00 to 06:00 ends on Tuesday.
create or replace function vitals.in_effect(
    at_ts timestamptz, effective_from time, effective_until time, effective_days smallint[], zone text
) returns boolean
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
    select
        case
            when l.day_from is null then true
            when l.day_from < l.day_until then l.clock >= l.day_from and l.clock < l.day_until
            else l.clock >= l.day_from or l.clock < l.day_until
        end
        and (
            in_effect.effective_days is null
            or extract(isodow from
                case when l.day_from > l.day_until and l.clock < l.day_until then l.local - interval '1 day' else l.local end
            )::smallint = any (in_effect.effective_days)
        )
    from (
        select
            in_effect.at_ts at time zone in_effect.zone as local,
            (in_effect.at_ts at time zone in_effect.zone)::time as clock,
            in_effect.effective_from as day_from,
            in_effect.effective_until as day_until
    ) as l
$$;
comment on function vitals.in_effect(timestamptz, time, time, smallint[], text) is 'Whether a time lies in the effective hours and days of a rule.';

-- The zone of rules and routes that name none: that in which the rollups cut days.
create or replace function vitals.default_zone() returns text
-- Not in language sql, which plans it anew for every message.
language plpgsql stable
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
as $$
begin
    return coalesce((select r.time_zone from vitals.rollup r where r.name = 'health_daily'), 'Asia/Shanghai');
end
$$;
comment on function vitals.default_zone() is 'Zone of rules and routes that name none.';

-- Whether the conditions of a composite rule hold for a device and its owner at a time: of each, the newest reading not older than
-- the window breaches, and has breached for the duration without a gap longer than the window.
create or replace function vitals.conditions_hold(
    device_sn text, customer_id bigint, org_id bigint, user_id bigint, at_ts timestamptz,
    combine text, conditions jsonb, window_seconds integer
) returns boolean
language plpgsql stable
set search_path = pg_catalog, public, pg_temp
-- The time has to be seen by the planner: it leaves out the chunks of other days.
set plan_cache_mode = force_custom_plan
as $$
begin
    return (select case when conditions_hold.combine = 'all' then bool_and(state.holds) else bool_or(state.holds) end
    from (
        select coalesce(
            max(r.ts) >= conditions_hold.at_ts - make_interval(secs => conditions_hold.window_seconds)
            and last(r.breach, r.ts)
            and max(r.ts) - greatest(
                min(r.ts) filter (where r.breach and (r.last_normal_ts is null or r.ts > r.last_normal_ts)),
                max(r.ts) filter (where r.breach and r.gap > make_interval(secs => conditions_hold.window_seconds))
            ) >= make_interval(secs => coalesce(max(r.duration_seconds), 0)),
            false
        ) as holds
        from jsonb_array_elements(conditions_hold.conditions) with ordinality as c (condition, position)
        left join lateral (
            select
                v.ts, v.breach, v.duration_seconds,
                v.ts - lag(v.ts) over (order by v.ts) as gap,
                max(v.ts) filter (where not v.breach) over () as last_normal_ts
            from (
                select
                    h.ts, k.duration_seconds,
                    coalesce(m.value < k.min_value, false) or coalesce(m.value > k.max_value, false) as breach
                from (
                    select
                        (c.condition ->> 'min')::numeric as min_value,
                        (c.condition ->> 'max')::numeric as max_value,
                        coalesce((c.condition ->> 'duration_seconds')::numeric, 0)::integer as duration_seconds
                ) as k
                join health_data as h
                    on h.device_sn = conditions_hold.device_sn
                    and (h.customer_id, h.org_id, h.user_id)
                        is not distinct from (conditions_hold.customer_id, conditions_hold.org_id, conditions_hold.user_id)
                    and h.ts <= conditions_hold.at_ts
                    and h.ts >= conditions_hold.at_ts
                        - make_interval(secs => k.duration_seconds + 2 * conditions_hold.window_seconds)
                    -- A duration is a day at most, and so is a window.
                    and h.ts >= conditions_hold.at_ts - interval '3 days'
                cross join lateral (
                    select vitals.metric_value(c.condition ->> 'metric', h) as value
                ) as m
                where m.value is not null
            ) as v
        ) as r on true
        group by c.position
    ) as state);
end
$$;
comment on function vitals.conditions_hold(text, bigint, bigint, bigint, timestamptz, text, jsonb, integer) is 'Whether the conditions of a composite rule hold for a device and its owner at a time.';

-- Whether a row breaches a rule. Bounds are exclusive: the bound itself is normal.
create or replace function vitals.is_breach(
    kind text, value numeric, min_value numeric, max_value numeric,
    device_sn text, customer_id bigint, org_id bigint, user_id bigint, ts timestamptz, combine text, conditions jsonb, window_seconds integer
) returns boolean
language sql stable
as $$
    select case
        when kind = 'composite' then vitals.conditions_hold(
            device_sn, customer_id, org_id, user_id, ts, combine, conditions, window_seconds
        )
        else coalesce(value < min_value, false) or coalesce(value > max_value, false)
    end
$$;
comment on function vitals.is_breach(
    text, numeric, numeric, numeric, text, bigint, bigint, bigint, timestamptz, text, jsonb, integer
) is 'Whether a row breaches a rule.';

-- Who wears a device, for people: the names of the person and of their unit as far as the directory knows them, and the serial.
create or replace function vitals.wearer_of_alert(device_sn text, org_id bigint, user_id bigint) returns text
language plpgsql stable
set search_path = pg_catalog, public, pg_temp
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
as $$
begin
    return (select coalesce(names.known || ' (' || wearer_of_alert.device_sn || ')', wearer_of_alert.device_sn)
    from (
        select nullif(concat_ws(', ',
            (select nullif(btrim(u.name), '') from app_user u where u.user_id = wearer_of_alert.user_id),
            (select nullif(btrim(o.name), '') from org_unit o where o.org_id = wearer_of_alert.org_id)
        ), '') as known
    ) as names);
end
$$;
comment on function vitals.wearer_of_alert(text, bigint, bigint) is 'Names of the person and of their unit, as far as the directory knows them, and the serial.';

-- The time of an alert as its message says it, in the zone of the rule. If the clock of the device is off, the right time comes first and
-- the time of the device beside it. The right time is the time of the device, corrected by its offset; of an urgent event whose time
-- is more than five minutes away and whose device has no known offset, it is the time of receipt, which is now.
create or replace function vitals.alert_time(rule alert_rule, device_sn text, ts timestamptz, language text) returns text
language plpgsql stable
set search_path = pg_catalog, public, pg_temp
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
as $$
declare
    zone   constant text := coalesce(rule.time_zone, vitals.default_zone());
    moment constant timestamptz := clock_timestamp();
    behind integer := (select d.clock_offset_seconds from device d where d.device_sn = alert_time.device_sn);
    right_time timestamptz := alert_time.ts + make_interval(secs => behind);
    by_device  text;
begin
    if behind is null and rule.kind = 'event' and vitals.is_urgent_event(rule.event_type)
        and alert_time.ts not between moment - interval '5 minutes' and moment + interval '5 minutes'
    then
        right_time := moment;
    end if;
    by_device := to_char(alert_time.ts at time zone zone, 'YYYY-MM-DD HH24:MI:SS');
    if right_time is null then
        return by_device;
    end if;
    return to_char(right_time at time zone zone, 'YYYY-MM-DD HH24:MI:SS')
        || format(case alert_time.language when 'zh' then '（手表时间 %s）' else ' (%s by the watch)' end, by_device);
end
$$;
comment on function vitals.alert_time(alert_rule, text, timestamptz, text) is 'The time of an alert as its message says it, with the time of the device beside it if its clock is off.';

-- Messages are made for every alert: planning these functions anew took longer than running them. So they are planned once, by indexes,
-- because the directory may be empty then.
-- The message of an alert. Each placeholder of the rule is replaced once: a placeholder inside a name, a serial or a value stays as
-- it is.
create or replace function vitals.alert_message(
    rule alert_rule, device_sn text, value text, breach_count integer, ts timestamptz,
    customer_id bigint, org_id bigint, user_id bigint
) returns text
language plpgsql stable
set search_path = pg_catalog, public, pg_temp
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
as $$
begin
    -- Names are looked up only if the rule uses them.
    return (select string_agg(case part.text[1]
        when '{device_sn}'  then alert_message.device_sn
        when '{rule}'       then rule.name
        when '{severity}'   then rule.severity
        when '{metric}'     then coalesce(replace(rule.metric, '_', ' '), '-')
        when '{value}'      then coalesce(alert_message.value, '-')
        when '{min}'        then coalesce(trim_scale(rule.min_value)::text, '-')
        when '{max}'        then coalesce(trim_scale(rule.max_value)::text, '-')
        when '{event_type}' then coalesce(rule.event_type, '-')
        when '{count}'      then alert_message.breach_count::text
        when '{time}'       then vitals.alert_time(rule, alert_message.device_sn, alert_message.ts, 'en')
        when '{user}'       then coalesce(
            (select u.name from app_user u where u.user_id = alert_message.user_id), alert_message.user_id::text, '-')
        when '{org}'        then coalesce(
            (select o.name from org_unit o where o.org_id = alert_message.org_id), alert_message.org_id::text, '-')
        when '{customer}'   then coalesce(
            (select c.name from customer c where c.customer_id = alert_message.customer_id),
            alert_message.customer_id::text, '-')
        when '{room}'       then coalesce((select u.room from app_user u where u.user_id = alert_message.user_id), '-')
        when '{wearer}'     then vitals.wearer_of_alert(alert_message.device_sn, alert_message.org_id, alert_message.user_id)
        else part.text[1]
    end, '' order by part.place)
    from regexp_matches(rule.message, '\{[^{}]*\}|[^{]+|\{', 'g') with ordinality as part (text, place));
end
$$;
comment on function vitals.alert_message(alert_rule, text, text, integer, timestamptz, bigint, bigint, bigint) is 'The message of an alert: the text of its rule with its placeholders replaced.';

-- The same in the further languages of the rule; {rule} is its name in that language.
create or replace function vitals.alert_translations(
    rule alert_rule, device_sn text, value text, breach_count integer, ts timestamptz,
    customer_id bigint, org_id bigint, user_id bigint
) returns jsonb
language plpgsql stable
set search_path = pg_catalog, public, pg_temp
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
as $$
declare
    translated   alert_rule := alert_translations.rule;
    own          alert_rule_text;
    translations jsonb;
begin
    for own in select * from alert_rule_text t where t.rule_id = translated.rule_id loop
        translated.name := own.name;
        translated.message := replace(own.message, '{time}',
            vitals.alert_time(translated, alert_translations.device_sn, alert_translations.ts, own.language));
        translations := coalesce(translations, '{}') || jsonb_build_object(own.language, jsonb_build_object(
            'rule', own.name,
            'message', vitals.alert_message(
                translated, alert_translations.device_sn, alert_translations.value, alert_translations.breach_count,
                alert_translations.ts, alert_translations.customer_id, alert_translations.org_id, alert_translations.user_id
            )
        ));
    end loop;
    return translations;
end
$$;
comment on function vitals.alert_translations(alert_rule, text, text, integer, timestamptz, bigint, bigint, bigint) is 'Name of the rule and message of an alert in the further languages of the rule. NULL: it has none.';
