-- Rows newer than everything evaluated before: alerts continue, end, reopen or start. One statement for all pairs.
-- Called by evaluate_pairs; parameters as in derive_alerts, and
--   seed_id      the alert before from_ts that these rows may change; NULL: none
-- Result: alerts that changed, that fired, that ended, whose severity rose; and the pairs (index) whose alerts last until until_ts, for which nothing was
-- written.
create or replace function vitals.extend_alerts(
    rules alert_rule[],
    rule_at integer[], device_sns text[], owners vitals.owner[], from_ts timestamptz[], until_ts timestamptz[],
    seed_on boolean[], seed_ended_ts timestamptz[], seed_last_ts timestamptz[], seed_level integer[], seed_id bigint[],
    scan_from timestamptz, scan_until timestamptz,
    out changed bigint[], out fired bigint[], out resolved bigint[], out raised bigint[], out unsettled integer[]
)
language plpgsql
set search_path = pg_catalog, public, pg_temp
-- It reads no table with chunks, so it is planned once; by indexes, because its tables may be empty then.
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
as $$
begin
    with derived as materialized (
        select * from vitals.derive_alerts(
            extend_alerts.rules, extend_alerts.rule_at, extend_alerts.device_sns, extend_alerts.owners, extend_alerts.from_ts,
            extend_alerts.until_ts, extend_alerts.seed_on, extend_alerts.seed_ended_ts, extend_alerts.seed_last_ts,
            extend_alerts.seed_level, false,
            extend_alerts.scan_from, extend_alerts.scan_until
        )
    ),
    pair as materialized (
        select p.*, r.rule_id, r.min_value, r.max_value, make_interval(secs => r.cooldown_seconds) as cooldown,
            make_interval(secs => r.expire_seconds) as expire
        from unnest(
            extend_alerts.rule_at, extend_alerts.device_sns, extend_alerts.owners, extend_alerts.until_ts, extend_alerts.seed_on,
            extend_alerts.seed_level, extend_alerts.seed_id
        ) with ordinality as p (rule_at, device_sn, customer_id, org_id, user_id, until_ts, seed_on, seed_level, seed_id, ord)
        join unnest(extend_alerts.rules) with ordinality as r on r.ordinality = p.rule_at
    ),
    reaching as materialized (
        select distinct d.ord
        from derived d
        join pair p on p.ord = d.ord
        where p.until_ts < 'infinity' and (d.ended_ts is null or d.ended_ts + p.cooldown >= p.until_ts)
    ),
    settled as materialized (
        select d.*,
            d.level_values is not null and vitals.is_raised(
                case when d.seq = 0 then p.seed_level else d.fired_level end, d.level_values, d.level_late
            ) as is_raised
        from derived d
        join pair p on p.ord = d.ord
        where d.ord not in (select ord from reaching)
    ),
    continued as (
        update alert a
        set last_ts      = greatest(a.last_ts, s.last_ts),
            last_value   = case when s.last_ts is null then a.last_value else s.last_value end,
            last_text    = case when s.last_ts is null then a.last_text else s.last_text end,
            peak_value   = case
                when greatest(s.peak_value - s.max_value, s.min_value - s.peak_value)
                    > greatest(a.peak_value - s.max_value, s.min_value - a.peak_value) then s.peak_value
                else coalesce(a.peak_value, s.peak_value)
            end,
            breach_count = a.breach_count + coalesce(s.breach_count, 0),
            judged_ts    = greatest(a.judged_ts, s.judged_ts),
            ended_ts     = s.end_ts,
            historical   = a.historical and coalesce(s.late, true),
            severity     = coalesce(s.severity, a.severity),
            peak_severity = vitals.graver_severity(a.peak_severity, coalesce(s.peak_severity, a.peak_severity)),
            status       = case
                when s.end_ts is not null then 'resolved'
                -- Who acknowledged it has not seen the graver state.
                when a.status = 'resolved' or s.is_raised then 'firing'
                else a.status
            end,
            resolution   = case when s.end_ts is null then null when s.expired then 'expired' else 'recovered' end,
            resolved_at  = case when s.end_ts is null then null else coalesce(a.resolved_at, clock_timestamp()) end,
            acknowledged_at = case when (a.status = 'resolved' or s.is_raised) and s.end_ts is null then null else a.acknowledged_at end,
            acknowledged_by = case when (a.status = 'resolved' or s.is_raised) and s.end_ts is null then null else a.acknowledged_by end,
            message      = case when s.is_raised then vitals.alert_message(
                vitals.rule_at_level(extend_alerts.rules[s.rule_at], s.level), a.device_sn, trim_scale(s.last_value)::text,
                a.breach_count + s.breach_count, s.last_ts, a.customer_id, a.org_id, a.user_id
            ) else a.message end,
            translations = case when s.is_raised then vitals.alert_translations(
                vitals.rule_at_level(extend_alerts.rules[s.rule_at], s.level), a.device_sn, trim_scale(s.last_value)::text,
                a.breach_count + s.breach_count, s.last_ts, a.customer_id, a.org_id, a.user_id
            ) else a.translations end,
            updated_at   = vitals.next_updated_at(a.updated_at)
        from (
            select
                s.last_ts, s.last_value, s.last_text, s.peak_value, s.breach_count, s.judged_ts, s.late,
                -- If another alert followed, this one had expired in between.
                case when s.ord is null then b.last_ts + p.expire else s.ended_ts end as end_ts,
                s.ord is null or s.expired as expired,
                p.seed_id, p.min_value, p.max_value, b.status as was_status, b.historical as was_historical,
                p.ord, p.rule_at, s.level, coalesce(s.is_raised, false) as is_raised,
                case when s.level_values is not null then vitals.severity_of_level(extend_alerts.rules[p.rule_at], s.level) end as severity,
                case when s.level_values is not null then
                    vitals.severity_of_level(extend_alerts.rules[p.rule_at], s.peak_level)
                end as peak_severity
            from pair p
            join alert b on b.alert_id = p.seed_id
            left join settled s on s.ord = p.ord and s.seq = 0
            where s.ord is not null or p.seed_on and exists (select from settled n where n.ord = p.ord)
        ) as s
        where a.alert_id = s.seed_id
        returning a.alert_id, a.status, a.severity, a.historical, a.resolution, s.was_status, s.was_historical, s.ord, s.is_raised
    ),
    begun as (
        insert into alert (
            device_sn, rule_id, rule_version, kind, severity, peak_severity, metric, event_type, customer_id, org_id, user_id,
            status, resolution, resolved_at, historical, started_ts, fired_ts, last_ts, ended_ts, judged_ts,
            breach_count, last_value, peak_value, last_text, latitude, longitude, altitude, message, translations
        )
        select
            p.device_sn, r.rule_id, r.version, r.kind, vitals.severity_of_level(extend_alerts.rules[p.rule_at], s.level),
            vitals.severity_of_level(extend_alerts.rules[p.rule_at], s.peak_level), r.metric, r.event_type,
            p.customer_id, p.org_id, p.user_id,
            case when s.ended_ts is null then 'firing' else 'resolved' end,
            case when s.ended_ts is null then null when s.expired then 'expired' else 'recovered' end,
            case when s.ended_ts is not null then clock_timestamp() end,
            s.late, s.started_ts, s.fired_ts, s.last_ts, s.ended_ts, s.judged_ts,
            s.breach_count, s.last_value, s.peak_value, s.last_text, s.latitude, s.longitude, s.altitude,
            vitals.alert_message(
                vitals.rule_at_level(extend_alerts.rules[p.rule_at], s.fired_level), p.device_sn, s.fired_value,
                s.breach_count, s.fired_ts, s.customer_id, s.org_id, s.user_id
            ),
            vitals.alert_translations(
                vitals.rule_at_level(extend_alerts.rules[p.rule_at], s.fired_level), p.device_sn, s.fired_value,
                s.breach_count, s.fired_ts, s.customer_id, s.org_id, s.user_id
            )
        from settled s
        join pair p on p.ord = s.ord
        join unnest(extend_alerts.rules) with ordinality as r on r.ordinality = p.rule_at
        -- After the alerts that end, or two would be open at once.
        where s.seq > 0 and (select count(*) from continued) >= 0
        order by s.ord, s.seq
        returning alert.alert_id, alert.device_sn, alert.rule_id, alert.customer_id, alert.org_id, alert.user_id, alert.fired_ts, alert.status, alert.historical, alert.resolution
    ),
    started as (
        select b.*, p.rule_at, s.fired_level, s.level_values, s.level_ts
        from begun b
        join pair p
            on p.device_sn = b.device_sn and p.rule_id = b.rule_id
            and (p.customer_id, p.org_id, p.user_id) is not distinct from (b.customer_id, b.org_id, b.user_id)
        join settled s on s.ord = p.ord and s.seq > 0 and s.fired_ts = b.fired_ts
    ),
    acted as (
        insert into alert_action (alert_id, action, note, severity, event_ts)
        select a.alert_id, a.action, a.note, a.severity, a.event_ts
        from (
            select
                n.alert_id, 'fired' as action, case when n.historical then 'historical: its readings came late' end as note, 1 as step,
                0::bigint as place, vitals.severity_of_level(extend_alerts.rules[n.rule_at], n.fired_level) as severity,
                null::timestamptz as event_ts
            from started n
            union all
            select b.alert_id, 'resolved', b.resolution, 3, 0, null, null from begun b where b.status = 'resolved'
            union all
            select g.alert_id, 'reopened', null, 1, 0, null, null
            from continued g where g.was_status = 'resolved' and g.status <> 'resolved'
            union all
            select g.alert_id, 'fired', 'no longer historical', 1, 0, g.severity, null
            from continued g where g.was_historical and not g.historical
            union all
            select l.alert_id, c.action, null, 2, c.place, vitals.severity_of_level(extend_alerts.rules[l.rule_at], c.level), c.event_ts
            from (
                select n.alert_id, n.rule_at, n.fired_level as level, n.level_values, n.level_ts from started n
                union all
                select g.alert_id, p.rule_at, p.seed_level, s.level_values, s.level_ts
                from continued g
                join pair p on p.ord = g.ord
                join settled s on s.ord = g.ord and s.seq = 0
            ) as l
            cross join lateral vitals.level_actions(l.level, l.level_values, l.level_ts) as c
            where l.level_values is not null
            union all
            select g.alert_id, 'resolved', g.resolution, 3, 0, null, null
            from continued g where g.was_status <> 'resolved' and g.status = 'resolved'
        ) as a
        order by a.alert_id, a.step, a.place
    )
    select
        coalesce(array_agg(c.alert_id), '{}'),
        coalesce(array_agg(c.alert_id) filter (where c.fires), '{}'),
        coalesce(array_agg(c.alert_id) filter (where c.resolves), '{}'),
        coalesce(array_agg(c.alert_id) filter (where c.raises and not c.fires), '{}'),
        array(select r.ord from reaching r)
    into changed, fired, resolved, raised, unsettled
    from (
        select
            g.alert_id, g.was_historical and not g.historical as fires, g.was_status <> 'resolved' and g.status = 'resolved' as resolves,
            g.is_raised and not g.historical as raises
        from continued g
        union all
        select b.alert_id, not b.historical, b.status = 'resolved' and not b.historical, false from begun b
    ) as c;
end
$$;
comment on function vitals.extend_alerts(
    alert_rule[], integer[], text[], vitals.owner[], timestamptz[], timestamptz[], boolean[], timestamptz[], timestamptz[], integer[], bigint[],
    timestamptz, timestamptz
) is 'Updates and adds alerts from rows newer than everything evaluated before.';
