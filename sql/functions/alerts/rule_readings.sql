-- The rows that matter to rules: the first half of derive_alerts.
-- Before: derive_alerts. Locks: none.
--
-- It is a statement of its own because only these tables have chunks: the planner must know the times to leave out the chunks of other
-- days. The statement of derive_alerts is planned once in a session, which is half of what planning all of it for each call cost.
-- Parameters as in derive_alerts. Result: the rows of the series of each pair (ord) that can decide anything
--   inside      it is evaluated now; the others only complete a run of rows
--   handed_over a row of another owner, which ends runs and alerts
--   depth       number of levels whose bounds it is outside of; NULL: the rule has no levels
--   excess      how far it is outside the bounds
--   judged_ts   newest row of the series that is not pending
create or replace function vitals.rule_readings(
    rules alert_rule[],
    rule_at integer[], device_sns text[], owners vitals.owner[], from_ts timestamptz[], until_ts timestamptz[], seed_on boolean[],
    with_pending boolean, scan_from timestamptz, scan_until timestamptz
) returns table (
    ord integer, ts timestamptz, inside boolean, pending boolean, handed_over boolean, breach boolean, recovered boolean, value numeric, text text,
    received_at timestamptz,
    latitude double precision, longitude double precision, altitude double precision,
    depth integer, excess numeric, judged_ts timestamptz
)
-- Not in language sql, which plans without the values, and so for all chunks.
language plpgsql stable
set search_path = pg_catalog, public, pg_temp
set plan_cache_mode = force_custom_plan
-- The outbox is empty most of the time, and its statistics say so when it is not.
set enable_seqscan = off
set jit = off
-- Few chunks are left when it is planned. To look at each of them costs less than to decide for each pair which ones to leave out.
set timescaledb.enable_runtime_exclusion = off
as $$
#variable_conflict use_column
begin
-- Only behind a backlog: where little waits, it costs more than it saves.
if not rule_readings.with_pending and (
    select count(*) = 500 or sum(coalesce(o.rows, 1000)) > 20000 from (select rows from outbox limit 500) as o
) then
    rule_readings.until_ts := vitals.evaluated_until(
        rule_readings.rules, rule_readings.rule_at, rule_readings.device_sns, rule_readings.from_ts, rule_readings.until_ts,
        rule_readings.scan_from, rule_readings.scan_until
    );
end if;
return query
with pair as materialized (
    select
        p.ord::integer as ord, p.device_sn, p.customer_id, p.org_id, p.user_id, p.from_ts, p.until_ts, p.seed_on,
        r.kind, r.metric, r.min_value, r.max_value,
        coalesce(r.recovery_min_value, r.min_value, '-infinity') as recovery_min_value,
        coalesce(r.recovery_max_value, r.max_value, 'infinity') as recovery_max_value,
        r.recovery_min_value is null and r.recovery_max_value is null as recovers_within,
        r.combine, r.conditions, r.window_seconds,
        array(select c ->> 'metric' from jsonb_array_elements(r.conditions) as c) as metrics,
        r.event_type, r.event_values, r.recovery_values,
        r.consecutive, r.recovery_count,
        coalesce(jsonb_array_length(r.levels), 0) as level_count,
        array(select (l ->> 'min')::numeric from jsonb_array_elements(r.levels) with ordinality as e (l, place) order by place) as level_mins,
        array(select (l ->> 'max')::numeric from jsonb_array_elements(r.levels) with ordinality as e (l, place) order by place) as level_maxs,
        r.effective_from is null and r.effective_days is null as always,
        r.effective_from, r.effective_until, r.effective_days, coalesce(r.time_zone, z.zone) as zone,
        case when p.seed_on then greatest(r.consecutive, r.recovery_count) else r.consecutive end - 1 as look_back,
        (
            select range_agg(tstzrange(a.started_ts, coalesce(a.muted_until, a.resolved_at), '[]'))
            from alert a
            where a.device_sn = p.device_sn and a.rule_id = r.rule_id and a.resolution in ('manual', 'rule_disabled')
              and (a.customer_id, a.org_id, a.user_id) is not distinct from (p.customer_id, p.org_id, p.user_id)
              and a.started_ts <= p.until_ts
              and coalesce(a.muted_until, a.resolved_at) >= p.from_ts - interval '1 day'
              and coalesce(a.muted_until, a.resolved_at) >= a.started_ts
        ) as muted
    from unnest(
        rule_readings.rule_at, rule_readings.device_sns, rule_readings.owners, rule_readings.from_ts, rule_readings.until_ts,
        rule_readings.seed_on
    ) with ordinality as p (rule_at, device_sn, customer_id, org_id, user_id, from_ts, until_ts, seed_on, ord)
    join unnest(rule_readings.rules) with ordinality as r on r.ordinality = p.rule_at
    cross join vitals.default_zone() as z (zone)
    -- A rule for everybody that no rule replaces applies to every owner; only of others the scopes of the owner are looked up.
    where num_nonnulls(r.customer_id, r.org_id, r.user_id, r.device_sn, r.replaces_rule_id) = 0 and not exists (
            select from alert_rule q where q.replaces_rule_id = r.rule_id
        )
        or vitals.rule_applies(
            vitals.rule_scope(r.customer_id, r.org_id, r.user_id, r.device_sn), coalesce(r.replaces_rule_id, r.rule_id),
            vitals.row_scopes(p.customer_id, p.org_id, p.user_id, p.device_sn)
        )
),
series as (
    select
        p.ord, s.ts, s.ts >= p.from_ts and not w.pending as inside, w.pending, s.is_foreign and not w.pending as handed_over,
        j.breach and not w.pending as breach,
        not w.pending and not s.is_foreign and case
            when p.kind = 'threshold' then s.value >= p.recovery_min_value and s.value <= p.recovery_max_value
            when p.kind = 'event' then coalesce(s.text = any (p.recovery_values), false) and not j.breach
            else not j.breach
        end as recovered,
        s.value, s.text, s.received_at, s.latitude, s.longitude, s.altitude,
        p.kind = 'threshold' and p.recovers_within as sparse, p.recovery_count, p.seed_on,
        case when p.level_count > 0 and not w.pending and not s.is_foreign then (
            select count(*)::integer from unnest(p.level_mins, p.level_maxs) as l (min, max) where s.value < l.min or s.value > l.max
        ) end as depth,
        greatest(s.value - p.max_value, p.min_value - s.value) as excess
    from pair p
    cross join lateral (
        select
            h.ts, h.received_at, h.latitude, h.longitude, h.altitude, vitals.metric_value(p.metric, h) as value,
            null::text as text, h.batch_id,
            (h.customer_id, h.org_id, h.user_id) is distinct from (p.customer_id, p.org_id, p.user_id) as is_foreign
        from health_data h
        where p.kind <> 'event' and h.device_sn = p.device_sn
          and h.ts >= p.from_ts and h.ts <= p.until_ts
          and h.ts >= rule_readings.scan_from and h.ts <= rule_readings.scan_until
          and vitals.is_measured(p.metric, p.metrics, h)
        union all
        (
            select
                h.ts, h.received_at, h.latitude, h.longitude, h.altitude, v.value, null::text, h.batch_id, o.is_foreign
            from health_data h
            cross join lateral (
                select vitals.metric_value(p.metric, h) as value
            ) as v
            cross join lateral (
                select (h.customer_id, h.org_id, h.user_id) is distinct from (p.customer_id, p.org_id, p.user_id) as is_foreign
            ) as o
            where p.look_back > 0 and p.kind <> 'event' and h.device_sn = p.device_sn
              and h.ts < p.from_ts and h.ts >= p.from_ts - interval '1 day'
              and h.ts >= rule_readings.scan_from - interval '1 day' and h.ts <= rule_readings.scan_until
              and vitals.is_measured(p.metric, p.metrics, h)
              -- What is left out of the series does not count among the rows before.
              and (p.muted is null or o.is_foreign or not p.muted @> h.ts)
              and (
                  p.always or o.is_foreign or vitals.in_effect(h.ts, p.effective_from, p.effective_until, p.effective_days, p.zone)
                  or not vitals.is_breach(
                      p.kind, v.value, p.min_value, p.max_value,
                      p.device_sn, p.customer_id, p.org_id, p.user_id, h.ts, p.combine, p.conditions, p.window_seconds
                  )
              )
            order by h.ts desc
            limit p.look_back
        )
        union all
        select
            e.ts, e.received_at, e.latitude, e.longitude, e.altitude, null::numeric, e.value, e.batch_id,
            o.is_foreign
        from device_event e
        cross join lateral (
            select (e.customer_id, e.org_id, e.user_id) is distinct from (p.customer_id, p.org_id, p.user_id) as is_foreign
        ) as o
        where p.kind = 'event' and e.device_sn = p.device_sn and e.event_type = p.event_type
          -- What no event ends, no other owner ends either.
          and (not o.is_foreign or p.recovery_values is not null)
          and e.ts >= p.from_ts - case when p.look_back > 0 then interval '1 day' else interval '0' end and e.ts <= p.until_ts
          and e.ts >= rule_readings.scan_from - interval '1 day' and e.ts <= rule_readings.scan_until
          and (p.event_values is null or e.value = any (p.event_values) or e.value = any (p.recovery_values))
    ) as s
    cross join lateral (
        select not rule_readings.with_pending and coalesce((
            select not o.sliced or exists (
                select from vitals.outbox_device d
                where d.batch_id = o.batch_id and d.device_sn = p.device_sn and d.first_ts <= s.ts
            )
            from outbox o where o.batch_id = s.batch_id
        ), false) as pending
        -- Looked up once for each row, not for each mention.
        offset 0
    ) as w
    cross join lateral (
        select case when s.is_foreign then false
            when p.kind = 'event' then p.event_values is null or coalesce(s.text = any (p.event_values), false)
            else vitals.is_breach(
                p.kind, s.value, p.min_value, p.max_value,
                p.device_sn, p.customer_id, p.org_id, p.user_id, s.ts, p.combine, p.conditions, p.window_seconds
            )
        end as breach
    ) as j
    where (p.muted is null or s.is_foreign or not p.muted @> s.ts)
      and (p.always or not j.breach or vitals.in_effect(s.ts, p.effective_from, p.effective_until, p.effective_days, p.zone))
),
-- Only rows soon after a breach or a pending row matter, and most are not: the rest is left out before the expensive part. Where recovery
-- has bounds of its own an alert may stay on for any number of rows between the bounds, and all rows are kept.
-- Of several pending rows with no other between them, one is enough, and so it is of rows of other owners.
numbered_rows as (
    select
        *, count(*) filter (where inside) over w as place, max(ts) filter (where not pending) over (partition by series.ord) as judged_ts,
        lead(pending, 1, true) over w as before_pending, lag(handed_over, 1, false) over w as after_handover
    from series
    window w as (partition by series.ord order by ts rows unbounded preceding)
),
kept as (
    select * from (
        select *, max(place) filter (where breach and inside or pending) over w as last_place
        from numbered_rows
        where not (pending and before_pending) and not (handed_over and after_handover)
        window w as (partition by numbered_rows.ord order by ts rows unbounded preceding)
    ) as p
    where not sparse or not inside or breach or handed_over or place - coalesce(last_place, case when seed_on then 0 end) <= recovery_count
)
select
    k.ord, k.ts, k.inside, k.pending, k.handed_over, k.breach, k.recovered, k.value, k.text, k.received_at,
    k.latitude, k.longitude, k.altitude, k.depth, k.excess, k.judged_ts
from kept k;
end
$$;
comment on function vitals.rule_readings(
    alert_rule[], integer[], text[], vitals.owner[], timestamptz[], timestamptz[], boolean[], boolean, timestamptz, timestamptz
) is 'The rows that matter to rules, for pairs of a rule and a worn device. Called by derive_alerts only.';

-- Until when rows of each pair decide anything: the time of its newest row that is not pending, because pending rows after it end no run.
-- Behind a backlog a device has many of them, and to skip one here costs less than to read it there.
-- Parameters as in derive_alerts. Result: per pair, never later than until_ts. Locks: none.
create or replace function vitals.evaluated_until(
    rules alert_rule[], rule_at integer[], device_sns text[], from_ts timestamptz[], until_ts timestamptz[],
    scan_from timestamptz, scan_until timestamptz
) returns timestamptz[]
language plpgsql stable
set search_path = pg_catalog, public, pg_temp
set plan_cache_mode = force_custom_plan
set enable_seqscan = off
set jit = off
set timescaledb.enable_runtime_exclusion = off
as $$
#variable_conflict use_column
declare
    newest timestamptz[];
begin
    with waiting as materialized (
        -- The batches that come next. Rows of other batches are looked up by key, one by one.
        select o.batch_id from outbox o where not o.sliced order by o.batch_id limit 20000
    )
    select array_agg(case when r.kind = 'event' then p.until_ts else coalesce((
        select h.ts
        from health_data h
        where h.device_sn = p.device_sn and h.ts >= p.from_ts and h.ts <= p.until_ts
          and h.ts >= evaluated_until.scan_from and h.ts <= evaluated_until.scan_until
          and h.batch_id not in (select w.batch_id from waiting w)
          and not exists (
              select from outbox o
              where o.batch_id = h.batch_id and (not o.sliced or exists (
                  select from vitals.outbox_device d
                  where d.batch_id = o.batch_id and d.device_sn = h.device_sn and d.first_ts <= h.ts
              ))
          )
        order by h.ts desc
        limit 1
    ), p.from_ts) end order by p.ord)
    into newest
    from unnest(evaluated_until.rule_at, evaluated_until.device_sns, evaluated_until.from_ts, evaluated_until.until_ts)
        with ordinality as p (rule_at, device_sn, from_ts, until_ts, ord)
    join unnest(evaluated_until.rules) with ordinality as r on r.ordinality = p.rule_at;
    return newest;
end
$$;
comment on function vitals.evaluated_until(
    alert_rule[], integer[], text[], timestamptz[], timestamptz[], timestamptz, timestamptz
) is 'Until when rows decide anything, for pairs of a rule and a worn device. Called by rule_readings only.';

-- The reading of a run that is furthest outside the bounds of a threshold rule, and further than `peak`: the readings before the trigger
-- that raised an alert with them belong to it. From started_ts on, before fired_ts.
create or replace function vitals.peak_of_run(
    metric text, device_sn text, customer_id bigint, org_id bigint, user_id bigint, started_ts timestamptz, fired_ts timestamptz,
    min_value numeric, max_value numeric, peak numeric, with_pending boolean
) returns numeric
language plpgsql stable
set search_path = pg_catalog, public, pg_temp
set plan_cache_mode = force_custom_plan
as $$
begin
    return coalesce((
        select v.value
        from health_data h
        cross join lateral (
            select vitals.metric_value(peak_of_run.metric, h) as value
        ) as v
        where h.device_sn = peak_of_run.device_sn and h.ts >= peak_of_run.started_ts and h.ts < peak_of_run.fired_ts
          and (h.customer_id, h.org_id, h.user_id)
              is not distinct from (peak_of_run.customer_id, peak_of_run.org_id, peak_of_run.user_id)
          and (peak_of_run.with_pending or coalesce((
              select not o.sliced or exists (
                  select from vitals.outbox_device d
                  where d.batch_id = o.batch_id and d.device_sn = h.device_sn and d.first_ts <= h.ts
              )
              from outbox o where o.batch_id = h.batch_id
          ), false) is false)
          and (v.value < peak_of_run.min_value or v.value > peak_of_run.max_value)
          and greatest(v.value - peak_of_run.max_value, peak_of_run.min_value - v.value)
              > greatest(peak_of_run.peak - peak_of_run.max_value, peak_of_run.min_value - peak_of_run.peak)
        order by greatest(v.value - peak_of_run.max_value, peak_of_run.min_value - v.value) desc, h.ts
        limit 1
    ), peak_of_run.peak);
end
$$;
comment on function vitals.peak_of_run(
    text, text, bigint, bigint, bigint, timestamptz, timestamptz, numeric, numeric, numeric, boolean
) is 'The reading of a run that is furthest outside the bounds of a threshold rule.';
