-- The alerts that a rule would have raised for the stored rows of some devices. Changes nothing; the rule need not exist.
--   rule           the rule; its rule_id may be NULL
--   device_sns     the devices
--   from_ts, to_ts the time range, as if no alert had been open at its start
-- Locks: none.
create or replace function vitals.replay_rule(rule alert_rule, device_sns text[], from_ts timestamptz, to_ts timestamptz)
returns table (
    device_sn text, started_ts timestamptz, fired_ts timestamptz, last_ts timestamptz, ended_ts timestamptz,
    breach_count integer, last_value numeric, peak_value numeric, last_text text, historical boolean
)
language plpgsql stable
set search_path = pg_catalog, public, pg_temp
set plan_cache_mode = force_custom_plan
as $$
declare
    breaching text[] := replay_rule.device_sns;
begin
    if rule.kind = 'silence' then
        return query
            select g.device_sn, g.ts, g.ts + make_interval(secs => rule.silent_seconds),
                coalesce(g.next_ts, replay_rule.to_ts), g.next_ts, 1, null::numeric, null::numeric, null::text, false
            from (
                select h.device_sn, h.ts, lead(h.ts) over (partition by h.device_sn order by h.ts) as next_ts
                from health_data h
                where h.device_sn = any (replay_rule.device_sns) and h.ts between replay_rule.from_ts and replay_rule.to_ts
                  and (rule.customer_id is null or h.customer_id = rule.customer_id)
            ) as g
            where coalesce(g.next_ts, replay_rule.to_ts) - g.ts > make_interval(secs => rule.silent_seconds)
            order by g.device_sn, g.ts;
        return;
    end if;
    if rule.kind = 'threshold' then
        -- Most devices never breach, which one query shows.
        select coalesce(array_agg(d), '{}') into breaching
        from unnest(replay_rule.device_sns) as d
        where exists (
            select from health_data h
            cross join lateral (
                select vitals.metric_value(rule.metric, h) as value
            ) as v
            where h.device_sn = d and h.ts between replay_rule.from_ts and replay_rule.to_ts
              and (v.value < rule.min_value or v.value > rule.max_value)
        );
    end if;
    return query
        select breaching[d.ord], d.started_ts, d.fired_ts, d.last_ts, d.ended_ts, d.breach_count, d.last_value, d.peak_value,
            d.last_text, d.late
        from vitals.derive_alerts(
            array[rule], array_fill(1, array[cardinality(breaching)]), breaching,
            array_fill(replay_rule.from_ts, array[cardinality(breaching)]), array_fill(replay_rule.to_ts, array[cardinality(breaching)]),
            array_fill(false, array[cardinality(breaching)]), array_fill(null::timestamptz, array[cardinality(breaching)]),
            array_fill(null::timestamptz, array[cardinality(breaching)]), true, replay_rule.from_ts, replay_rule.to_ts
        ) as d
        order by breaching[d.ord], d.seq;
end
$$;
comment on function vitals.replay_rule(alert_rule, text[], timestamptz, timestamptz) is 'The alerts that a rule would have raised for the stored rows of some devices.';
