-- The steps of evaluate_alerts: finding the pairs of a rule and a device to evaluate, and updating their alerts to what derive_alerts
-- returns.

create or replace function vitals.first_batch(batch_ids bigint[]) returns bigint
language sql immutable parallel safe
as $$ select min(b) from unnest(batch_ids) as b $$;
comment on function vitals.first_batch(bigint[]) is 'The smallest of some batch_ids.';

create or replace function vitals.last_batch(batch_ids bigint[]) returns bigint
language sql immutable parallel safe
as $$ select max(b) from unnest(batch_ids) as b $$;
comment on function vitals.last_batch(bigint[]) is 'The largest of some batch_ids.';

-- Whether a row is one of those to evaluate: all of some batches, or (is_slice) those of some devices of them. Inlined, and simplified
-- where it is planned with its values: the rows of batches are found by the index on batch_id, those of a slice by the key.
-- The first and the last batch are there for the planner (see health_data.newest_of_batches).
create or replace function vitals.is_evaluated_row(
    batch_id bigint, device_sn text, batch_ids bigint[], devices text[], is_slice boolean
) returns boolean
language sql immutable parallel safe
as $$
    select case
        when is_slice then batch_id + 0 = any (batch_ids) and device_sn = any (devices)
        else batch_id = any (batch_ids) and batch_id >= vitals.first_batch(batch_ids) and batch_id <= vitals.last_batch(batch_ids)
    end
$$;
comment on function vitals.is_evaluated_row(bigint, text, bigint[], text[], boolean) is 'Whether a row is of some batches, or of some devices of them.';

-- Candidates: rows outside the narrowest bounds of all rules, and the rules they breach; events and the rules for them.
create or replace function vitals.breached_pairs(
    batch_ids bigint[], devices text[], is_slice boolean, first_ts timestamptz, last_ts timestamptz, event_from timestamptz, event_to timestamptz
) returns vitals.alert_pairs
language plpgsql stable
set search_path = pg_catalog, public, pg_temp
set plan_cache_mode = force_custom_plan
as $$
declare
    normal record;
    -- Without rules for tenants, units, persons or devices, every rule applies to every row.
    scoped constant boolean := vitals.has_scoped_rules();
    pairs  vitals.alert_pairs := row('{}', '{}', '{}', '{}', '{}');
    events vitals.alert_pairs := row('{}', '{}', '{}', '{}', '{}');
begin
    -- Bounds of whole numbers as whole numbers: comparing them costs a tenth of comparing numerics.
    select
        -- generated: narrowest bounds
        ceil(max(b.min) filter (where b.metric = 'heart_rate'))::integer as heart_rate_min,
        floor(min(b.max) filter (where b.metric = 'heart_rate'))::integer as heart_rate_max,
        ceil(max(b.min) filter (where b.metric = 'blood_oxygen'))::integer as blood_oxygen_min,
        floor(min(b.max) filter (where b.metric = 'blood_oxygen'))::integer as blood_oxygen_max,
        max(b.min) filter (where b.metric = 'temperature') as temperature_min,
        min(b.max) filter (where b.metric = 'temperature') as temperature_max,
        ceil(max(b.min) filter (where b.metric = 'pressure_high'))::integer as pressure_high_min,
        floor(min(b.max) filter (where b.metric = 'pressure_high'))::integer as pressure_high_max,
        ceil(max(b.min) filter (where b.metric = 'pressure_low'))::integer as pressure_low_min,
        floor(min(b.max) filter (where b.metric = 'pressure_low'))::integer as pressure_low_max,
        ceil(max(b.min) filter (where b.metric = 'stress'))::integer as stress_min,
        floor(min(b.max) filter (where b.metric = 'stress'))::integer as stress_max,
        max(b.min) filter (where b.metric = 'respiratory_rate') as respiratory_rate_min,
        min(b.max) filter (where b.metric = 'respiratory_rate') as respiratory_rate_max,
        max(b.min) filter (where b.metric = 'heart_rate_variability') as heart_rate_variability_min,
        min(b.max) filter (where b.metric = 'heart_rate_variability') as heart_rate_variability_max,
        max(b.min) filter (where b.metric = 'blood_glucose') as blood_glucose_min,
        min(b.max) filter (where b.metric = 'blood_glucose') as blood_glucose_max,
        max(b.min) filter (where b.metric = 'skin_temperature') as skin_temperature_min,
        min(b.max) filter (where b.metric = 'skin_temperature') as skin_temperature_max
        -- end
    into normal
    from vitals.bounds_in_force() as b;

    if breached_pairs.first_ts is not null then
        with candidate as materialized (
            select h.device_sn, row(h.customer_id, h.org_id, h.user_id)::vitals.owner as owner, h.ts,
                case when scoped then vitals.row_scopes(h.customer_id, h.org_id, h.user_id, h.device_sn) else '{everybody}' end as scopes,
                -- generated: vital signs of h
                h.heart_rate, h.blood_oxygen, h.temperature, h.pressure_high, h.pressure_low, h.stress, h.respiratory_rate,
                h.heart_rate_variability, h.blood_glucose, h.skin_temperature
                -- end
            from health_data h
            where vitals.is_evaluated_row(h.batch_id, h.device_sn, breached_pairs.batch_ids, breached_pairs.devices, breached_pairs.is_slice)
              and h.ts between breached_pairs.first_ts and breached_pairs.last_ts
              and (
                  -- generated: outside the bounds
                  h.heart_rate < normal.heart_rate_min or h.heart_rate > normal.heart_rate_max
                  or h.blood_oxygen < normal.blood_oxygen_min or h.blood_oxygen > normal.blood_oxygen_max
                  or h.temperature < normal.temperature_min or h.temperature > normal.temperature_max
                  or h.pressure_high < normal.pressure_high_min or h.pressure_high > normal.pressure_high_max
                  or h.pressure_low < normal.pressure_low_min or h.pressure_low > normal.pressure_low_max
                  or h.stress < normal.stress_min or h.stress > normal.stress_max
                  or h.respiratory_rate < normal.respiratory_rate_min or h.respiratory_rate > normal.respiratory_rate_max
                  or h.heart_rate_variability < normal.heart_rate_variability_min or h.heart_rate_variability > normal.heart_rate_variability_max
                  or h.blood_glucose < normal.blood_glucose_min or h.blood_glucose > normal.blood_glucose_max
                  or h.skin_temperature < normal.skin_temperature_min or h.skin_temperature > normal.skin_temperature_max
                  -- end
              )
        ),
        -- One row a bound: breaches are found metric by metric.
        bound as materialized (select * from vitals.bounds_in_force())
        select array_agg(p.rule_id), array_agg(p.device_sn), array_agg(p.first_ts), array_agg(p.last_ts), array_agg(p.owner)
        into pairs
        from (
            select b.rule_id, c.device_sn, c.owner, min(c.ts) as first_ts, max(c.ts) as last_ts
            from candidate c
            cross join unnest(c.scopes) as s (scope)
            cross join lateral (values
                -- generated: names and values of c
                ('heart_rate', c.heart_rate::numeric),
                ('blood_oxygen', c.blood_oxygen::numeric),
                ('temperature', vitals.finite(c.temperature)),
                ('pressure_high', c.pressure_high::numeric),
                ('pressure_low', c.pressure_low::numeric),
                ('stress', c.stress::numeric),
                ('respiratory_rate', vitals.finite(c.respiratory_rate)),
                ('heart_rate_variability', vitals.finite(c.heart_rate_variability)),
                ('blood_glucose', vitals.finite(c.blood_glucose)),
                ('skin_temperature', vitals.finite(c.skin_temperature))
                -- end
            ) as v (metric, value)
            join bound b
                on b.metric = v.metric and b.scope = s.scope and (v.value < b.min or v.value > b.max)
            where not scoped or vitals.rule_applies(b.scope, b.root_id, c.scopes)
            group by b.rule_id, c.device_sn, c.owner
        ) as p;
    end if;
    if breached_pairs.event_from is not null then
        select array_agg(p.rule_id), array_agg(p.device_sn), array_agg(p.first_ts), array_agg(p.last_ts), array_agg(p.owner)
        into events
        from (
            select q.rule_id, q.device_sn, q.owner, min(q.ts) as first_ts, max(q.ts) as last_ts
            from (
                select r.rule_id, e.device_sn, row(e.customer_id, e.org_id, e.user_id)::vitals.owner as owner, e.ts
                from device_event e
                join alert_rule r
                    on r.enabled and r.kind = 'event' and r.event_type = e.event_type
                    and (not scoped or vitals.rule_applies(
                        vitals.rule_scope(r.customer_id, r.org_id, r.user_id, r.device_sn), coalesce(r.replaces_rule_id, r.rule_id),
                        vitals.row_scopes(e.customer_id, e.org_id, e.user_id, e.device_sn)
                    ))
                    and (r.event_values is null or e.value = any (r.event_values) or e.value = any (r.recovery_values))
                where vitals.is_evaluated_row(e.batch_id, e.device_sn, breached_pairs.batch_ids, breached_pairs.devices, breached_pairs.is_slice)
                  and e.ts between breached_pairs.event_from and breached_pairs.event_to
                union all
                -- Alerts of other owners: the event ends them, because it says that the device was handed over.
                select r.rule_id, e.device_sn, row(a.customer_id, a.org_id, a.user_id)::vitals.owner, e.ts
                from device_event e
                join alert a
                    on a.device_sn = e.device_sn and a.kind = 'event' and a.event_type = e.event_type
                    and coalesce(a.ended_ts, 'infinity'::timestamptz) >= e.ts
                    and (a.customer_id, a.org_id, a.user_id) is distinct from (e.customer_id, e.org_id, e.user_id)
                    and vitals.accepts_readings(a.resolution)
                join alert_rule r on r.rule_id = a.rule_id and r.enabled and r.recovery_values is not null
                where vitals.is_evaluated_row(e.batch_id, e.device_sn, breached_pairs.batch_ids, breached_pairs.devices, breached_pairs.is_slice)
                  and e.ts between breached_pairs.event_from and breached_pairs.event_to
            ) as q
            group by q.rule_id, q.device_sn, q.owner
        ) as p;
    end if;
    return row(
        coalesce(pairs.rule_ids, '{}') || coalesce(events.rule_ids, '{}'),
        coalesce(pairs.device_sns, '{}') || coalesce(events.device_sns, '{}'),
        coalesce(pairs.first_ts, '{}') || coalesce(events.first_ts, '{}'),
        coalesce(pairs.last_ts, '{}') || coalesce(events.last_ts, '{}'),
        coalesce(pairs.owners, '{}') || coalesce(events.owners, '{}')
    );
end
$$;
comment on function vitals.breached_pairs(bigint[], text[], boolean, timestamptz, timestamptz, timestamptz, timestamptz) is 'Which rules the rows of batches breach.';

-- How far before a composite alert a row may lie that affects it.
create or replace function vitals.rule_lookback(conditions jsonb, window_seconds integer) returns interval
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
    select coalesce(
        make_interval(secs => max((c ->> 'duration_seconds')::numeric)::integer + 2 * rule_lookback.window_seconds),
        make_interval(secs => 2 * rule_lookback.window_seconds)
    )
    from jsonb_array_elements(rule_lookback.conditions) as c
    having count(*) > 0
$$;
comment on function vitals.rule_lookback(jsonb, integer) is 'How far before a composite alert a row may lie that affects it; NULL for other rules.';

-- The breached pairs, and those with an alert that the batches may change.
create or replace function vitals.pairs_to_evaluate(
    breached vitals.alert_pairs, batch_ids bigint[], devices text[], is_slice boolean, first_ts timestamptz, last_ts timestamptz
) returns vitals.alert_pairs
language plpgsql stable
set search_path = pg_catalog, public, pg_temp
set plan_cache_mode = force_custom_plan
as $$
declare
    near_devices text[];
    pairs        vitals.alert_pairs;
begin
    if pairs_to_evaluate.first_ts is null then
        return breached;
    end if;
    select array_agg(distinct a.device_sn) into near_devices
    from alert a
    -- Not `= any`, for which planning takes longer the more devices there are.
    where a.device_sn in (select unnest(pairs_to_evaluate.devices))
      and a.kind in ('threshold', 'composite')
      and coalesce(a.ended_ts, 'infinity'::timestamptz) >= pairs_to_evaluate.first_ts
      and vitals.accepts_readings(a.resolution);
    if near_devices is null then
        return breached;
    end if;
    with sent as materialized (
        select h.device_sn, min(h.ts) as first_ts, max(h.ts) as last_ts
        from health_data h
        where vitals.is_evaluated_row(h.batch_id, h.device_sn, pairs_to_evaluate.batch_ids, near_devices, pairs_to_evaluate.is_slice)
          and h.ts between pairs_to_evaluate.first_ts and pairs_to_evaluate.last_ts
          and h.device_sn = any (near_devices)
        group by h.device_sn
    ),
    all_pairs as (
        select b.rule_id, b.device_sn, row(b.customer_id, b.org_id, b.user_id)::vitals.owner as owner, b.first_ts, b.last_ts
        from unnest(breached.rule_ids, breached.device_sns, breached.owners, breached.first_ts, breached.last_ts)
            as b (rule_id, device_sn, customer_id, org_id, user_id, first_ts, last_ts)
        union all
        -- Of each owner: rows of the next one end what the rows of the one before began.
        select a.rule_id, a.device_sn, row(a.customer_id, a.org_id, a.user_id)::vitals.owner, sent.first_ts, sent.last_ts
        from sent
        join alert a on a.device_sn = sent.device_sn
        join alert_rule r on r.rule_id = a.rule_id and r.enabled
        where a.kind in ('threshold', 'composite')
          and coalesce(a.ended_ts, 'infinity'::timestamptz) >= sent.first_ts
          and a.started_ts - coalesce(vitals.rule_lookback(r.conditions, r.window_seconds), interval '0') <= sent.last_ts
          and vitals.accepts_readings(a.resolution)
    )
    select array_agg(p.rule_id), array_agg(p.device_sn), array_agg(p.first_ts), array_agg(p.last_ts), array_agg(p.owner)
    into pairs
    from (
        select rule_id, device_sn, owner, min(all_pairs.first_ts) as first_ts, max(all_pairs.last_ts) as last_ts
        from all_pairs
        group by rule_id, device_sn, owner
    ) as p;
    return row(
        coalesce(pairs.rule_ids, '{}'), coalesce(pairs.device_sns, '{}'),
        coalesce(pairs.first_ts, '{}'), coalesce(pairs.last_ts, '{}'), coalesce(pairs.owners, '{}')
    );
end
$$;
comment on function vitals.pairs_to_evaluate(vitals.alert_pairs, bigint[], text[], boolean, timestamptz, timestamptz) is
    'Which pairs of a rule and a device a batch affects.';

-- Updates the alerts of pairs to the stored rows. The usual case, rows newer than everything evaluated before, is one statement for all
-- pairs that reads new rows only (extend_alerts); for late rows, the alerts around them are evaluated again (rebuild_alerts).
create or replace function vitals.evaluate_pairs(pairs vitals.alert_pairs) returns vitals.alert_changes
language plpgsql
set search_path = pg_catalog, public, pg_temp
-- It reads no table with chunks, so it is planned once; by indexes, because its tables may be empty then.
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
as $$
declare
    -- Rows this old may have later rows that were evaluated before.
    settled_before constant timestamptz := now() - interval '6 hours';
    rules    alert_rule[];
    ahead    record;
    done     record;
    rebuilt  vitals.alert_changes;
    changed  vitals.alert_changes := row('{}', '{}', '{}', '{}');
begin
    select array_agg(r order by r.rule_id) into rules from alert_rule r where r.rule_id = any (pairs.rule_ids);

    with pair as (
        select
            p.rule_at, p.device_sn, p.owner, p.first_ts, p.last_ts, r.cooldown_seconds,
            n.alert_id, n.resolution, n.ended_ts, n.last_ts as alert_last_ts, n.judged_ts,
            case when r.levels is not null then vitals.level_of_severity(rules[p.rule_at], n.severity) end as alert_level,
            coalesce(n.judged_ts >= p.first_ts, false) as is_late,
            case when p.last_ts >= settled_before then 'infinity'::timestamptz
                else p.last_ts + interval '6 hours' + make_interval(secs => r.window_seconds)
                    + coalesce(vitals.rule_lookback(r.conditions, r.window_seconds), interval '0')
            end as until_ts
        from (
            select r.ordinality::integer as rule_at, q.device_sn, row(q.customer_id, q.org_id, q.user_id)::vitals.owner as owner,
                q.customer_id, q.org_id, q.user_id, q.first_ts, q.last_ts
            from unnest(pairs.rule_ids, pairs.device_sns, pairs.owners, pairs.first_ts, pairs.last_ts)
                as q (rule_id, device_sn, customer_id, org_id, user_id, first_ts, last_ts)
            join unnest(rules) with ordinality as r on r.rule_id = q.rule_id
        ) as p
        join unnest(rules) with ordinality as r on r.ordinality = p.rule_at
        left join lateral (
            select a.*
            from alert a
            where a.device_sn = p.device_sn and a.rule_id = r.rule_id
              and (a.customer_id, a.org_id, a.user_id) is not distinct from (p.customer_id, p.org_id, p.user_id)
              and vitals.accepts_readings(a.resolution)
            order by a.started_ts desc
            limit 1
        ) as n on true
    ),
    -- A closed alert may be reopened during its cooldown; an open one continues, and so does one that expired before rows of an
    -- earlier time arrived.
    placed as (
        select
            *,
            alert_id is not null
                and (ended_ts is null or ended_ts + make_interval(secs => cooldown_seconds) >= first_ts) as has_seed,
            case when is_on then judged_ts + interval '1 microsecond' else first_ts end as from_ts
        from (
            select *, alert_id is not null and (ended_ts is null or resolution = 'expired' and ended_ts >= first_ts) as is_on
            from pair
        ) as p
    )
    select
        array_agg(rule_at) filter (where not is_late)     as rule_at,
        array_agg(device_sn) filter (where not is_late)   as device_sn,
        array_agg(owner) filter (where not is_late)       as owner,
        array_agg(from_ts) filter (where not is_late)     as from_ts,
        array_agg(until_ts) filter (where not is_late)    as until_ts,
        array_agg(first_ts) filter (where not is_late)    as first_ts,
        array_agg(last_ts) filter (where not is_late)     as last_ts,
        array_agg(is_on) filter (where not is_late)       as seed_on,
        array_agg(case when has_seed and not is_on then ended_ts end) filter (where not is_late) as seed_ended_ts,
        array_agg(case when has_seed then alert_last_ts end) filter (where not is_late) as seed_last_ts,
        array_agg(case when has_seed then alert_level end) filter (where not is_late)   as seed_level,
        array_agg(case when has_seed then alert_id end) filter (where not is_late)      as seed_id,
        min(from_ts) filter (where not is_late)           as scan_from,
        max(until_ts) filter (where not is_late)          as scan_until,
        array_agg(rule_at) filter (where is_late)         as late_rule_at,
        array_agg(device_sn) filter (where is_late)       as late_device_sn,
        array_agg(owner) filter (where is_late)           as late_owner,
        array_agg(first_ts) filter (where is_late)        as late_first_ts,
        array_agg(last_ts) filter (where is_late)         as late_last_ts
    into ahead
    from placed;

    if ahead.rule_at is not null then
        select * into done
        from vitals.extend_alerts(
            rules, ahead.rule_at, ahead.device_sn, ahead.owner, ahead.from_ts, ahead.until_ts, ahead.seed_on, ahead.seed_ended_ts,
            ahead.seed_last_ts, ahead.seed_level, ahead.seed_id, ahead.scan_from, ahead.scan_until
        );
        changed := row(done.changed, done.fired, done.resolved, done.raised);
        ahead.late_rule_at := ahead.late_rule_at || array(select ahead.rule_at[each] from unnest(done.unsettled) as each);
        ahead.late_device_sn := ahead.late_device_sn || array(select ahead.device_sn[each] from unnest(done.unsettled) as each);
        ahead.late_owner := ahead.late_owner || array(select ahead.owner[each] from unnest(done.unsettled) as each);
        ahead.late_first_ts := ahead.late_first_ts || array(select ahead.first_ts[each] from unnest(done.unsettled) as each);
        ahead.late_last_ts := ahead.late_last_ts || array(select ahead.last_ts[each] from unnest(done.unsettled) as each);
    end if;
    if cardinality(ahead.late_rule_at) > 0 then
        rebuilt := vitals.rebuild_alerts(
            rules, ahead.late_rule_at, ahead.late_device_sn, ahead.late_owner, ahead.late_first_ts, ahead.late_last_ts
        );
        changed := row(
            changed.changed || rebuilt.changed, changed.fired || rebuilt.fired, changed.resolved || rebuilt.resolved,
            changed.raised || rebuilt.raised
        );
    end if;
    return changed;
end
$$;
comment on function vitals.evaluate_pairs(vitals.alert_pairs) is 'Updates the alerts of pairs of a rule and a device to the stored rows.';
