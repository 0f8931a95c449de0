-- The alerts that the stored rows cause, for pairs of a rule and a device with its owner: a function of the rows alone, independent of the
-- order in which they arrived. All pairs in one statement; rule_readings.sql is its first half.
-- Before: extend_alerts and rebuild_alerts (which compare the result with the stored alerts), replay_rule.
-- Locks: none.
--
-- The series of a pair are the rows of the device that belong to the owner (tenant, unit and person) and matter to the rule: readings of
-- its metric (events of its type), if the rule applies to the owner (rule_scope.sql). Left out are rows from the time in which a person has
-- muted it, and breaches outside the effective hours. A row of another owner says only that the device was handed over: it ends runs of rows,
-- and the alert, as expired. An alert that no event of its own owner can end is not ended by it. In the series
--   a trigger    is a breach that, with the n-1 rows before it breaching too, lies within the window;
--   a recovery   is a recovered row that, with the m-1 rows before it recovered too, lies within a day;
--   an alert     is on from a trigger until a recovery, or until nothing breached for expire_seconds. When the next
--                trigger comes within the cool-down after that, it is the same alert;
--   its level    is that of rule_levels.sql after each row. A row that ends the alert does not lower it.
--
-- An alert is late if all its triggers were received late, by the clock of the device as it is known from the rows (vitals.late_alerts).
--
-- Parameters, per pair (arrays of one length):
--   rule_at         index of its rule in `rules`
--   device_sns      its device
--   owners          whose rows
--   from_ts         first time evaluated; earlier rows are read only to complete a run of rows
--   until_ts        last time evaluated
--   seed_on         an alert is open before from_ts
--   seed_ended_ts   when the last alert before from_ts ended; NULL: there was none, or it is on
--   seed_last_ts    newest breach of the alert before from_ts
--   seed_levels     level of the alert before from_ts; NULL: its rule has no levels, or there was none
-- for all of them
--   with_pending    rows that are not evaluated yet count too. False: they belong to no alert, so that batches are evaluated one after the
--                   other, but end the run of rows before them, so that nothing is concluded that they might contradict. Pending is a
--                   row of a batch in the outbox; of a sliced one, a row in vitals.outbox_device. Each row is looked up by key, and
--                   behind a backlog those that decide nothing are left out before (evaluated_until), so that the cost hardly depends
--                   on how much is pending.
-- and for the planner, to leave out chunks:
--   scan_from, scan_until   hold all of from_ts and until_ts
-- Result, per pair (ord) and alert: seq 0 is the alert before from_ts, continued or reopened; 1 and up are new ones.
create or replace function vitals.derive_alerts(
    rules alert_rule[],
    rule_at integer[], device_sns text[], owners vitals.owner[], from_ts timestamptz[], until_ts timestamptz[],
    seed_on boolean[], seed_ended_ts timestamptz[], seed_last_ts timestamptz[], seed_levels integer[], with_pending boolean,
    scan_from timestamptz, scan_until timestamptz
) returns setof vitals.derived_alert
language plpgsql stable
set search_path = pg_catalog, public, pg_temp
-- Planning takes longer than running, and this statement reads no table with chunks.
set plan_cache_mode = force_generic_plan
-- Planned when the tables may be empty.
set enable_seqscan = off
set jit = off
as $$
#variable_conflict use_column
begin
return query
with pair as materialized (
    select
        p.ord::integer as ord, p.device_sn, p.customer_id, p.org_id, p.user_id,
        p.from_ts, p.until_ts, p.seed_on, p.seed_ended_ts, p.seed_last_ts,
        coalesce(p.seed_level, 0) as seed_level,
        r.kind, r.metric, r.min_value, r.max_value,
        r.event_type,
        r.consecutive, r.recovery_count,
        make_interval(secs => r.window_seconds) as breach_window,
        make_interval(secs => r.cooldown_seconds) as cooldown,
        make_interval(secs => r.expire_seconds) as expire,
        make_interval(secs => r.late_after_seconds) as late_after,
        coalesce(jsonb_array_length(r.levels), 0) as level_count,
        r.kind = 'event' and vitals.is_urgent_event(r.event_type) as is_urgent,
        coalesce((select d.clock_offset_seconds < 0 from device d where d.device_sn = p.device_sn), false) as is_ahead
    from unnest(
        derive_alerts.rule_at, derive_alerts.device_sns, derive_alerts.owners, derive_alerts.from_ts, derive_alerts.until_ts,
        derive_alerts.seed_on, derive_alerts.seed_ended_ts, derive_alerts.seed_last_ts, derive_alerts.seed_levels
    ) with ordinality as p (
        rule_at, device_sn, customer_id, org_id, user_id, from_ts, until_ts, seed_on, seed_ended_ts, seed_last_ts, seed_level, ord
    )
    join unnest(derive_alerts.rules) with ordinality as r on r.ordinality = p.rule_at
),
kept as (
    select
        k.*, p.consecutive, p.recovery_count, p.breach_window, p.cooldown, p.expire, p.seed_on, p.seed_ended_ts, p.seed_last_ts,
        p.level_count, p.seed_level
    from vitals.rule_readings(
        derive_alerts.rules, derive_alerts.rule_at, derive_alerts.device_sns, derive_alerts.owners, derive_alerts.from_ts,
        derive_alerts.until_ts, derive_alerts.seed_on, derive_alerts.with_pending, derive_alerts.scan_from, derive_alerts.scan_until
    ) as k
    join pair p on p.ord = k.ord
),
counted as (
    select
        *,
        count(*) filter (where breach) over w as breaches,
        count(*) filter (where recovered) over w as recoveries,
        lag(ts, consecutive - 1) over w as run_ts,
        lag(ts, recovery_count - 1) over w as recovery_run_ts,
        -- Newest breach before this row.
        coalesce(max(ts) filter (where breach and inside) over before, seed_last_ts) as last_breach_ts
    from kept
    window
        w as (partition by kept.ord order by ts rows unbounded preceding),
        before as (partition by kept.ord order by ts rows between unbounded preceding and 1 preceding)
),
signalled as (
    select
        *,
        inside and breach
            and breaches - coalesce(max(breaches) filter (where not breach) over w, 0) >= consecutive
            and ts - run_ts <= breach_window as triggers,
        inside and recovered
            and recoveries - coalesce(max(recoveries) filter (where not recovered) over w, 0) >= recovery_count
            and ts - recovery_run_ts <= interval '1 day' as recovers,
        inside and coalesce(ts - last_breach_ts > expire, false) as expires,
        inside and handed_over as leaves
    from counted
    window w as (partition by counted.ord order by ts rows unbounded preceding)
),
switched as (
    select
        *,
        -- The latest signal decides whether an alert is open; at the same instant, a trigger counts after an expiry.
        case
            when max(ts) filter (where triggers or recovers or expires or leaves) over w is null then seed_on
            else coalesce(max(ts) filter (where triggers) over w
                >= coalesce(max(ts) filter (where recovers or expires or leaves) over w, '-infinity'), false)
        end as is_on,
        vitals.level_after(
            depth, level_count, case when seed_on then seed_level end, inside, ts - run_ts <= breach_window,
            ts - recovery_run_ts <= interval '1 day', expires or leaves, consecutive, recovery_count
        ) filter (where level_count > 0) over w as level
    from signalled
    window w as (partition by signalled.ord order by ts rows unbounded preceding)
),
turned as (
    select *, lag(is_on, 1, seed_on) over w as was_on, lag(level, 1, seed_level) over w as was_level
    from switched
    where inside
    window w as (partition by switched.ord order by ts)
),
ended as (
    select
        *,
        is_on and (not was_on or expires) as begins,
        case
            when was_on and expires then last_breach_ts + expire
            when was_on and not is_on then ts
        end as end_ts
    from turned
),
numbered as (
    select
        *,
        coalesce(max(end_ts) over w, seed_ended_ts) as last_end_ts
    from ended
    window w as (partition by ended.ord order by ts rows unbounded preceding)
),
opened as (
    select
        *,
        begins and (last_end_ts is null or ts - last_end_ts > cooldown) as opens
    from numbered
),
placed as (
    select
        *,
        count(*) filter (where opens) over w as seq
    from opened
    window w as (partition by opened.ord order by ts rows unbounded preceding)
),
summed as (
    select
        p.ord, p.seq::integer as seq,
        min(p.run_ts) filter (where p.begins) as started_ts,
        min(p.ts) filter (where p.begins) as fired_ts,
        max(p.ts) filter (where p.breach and p.is_on) as last_ts,
        min(p.judged_ts) as judged_ts,
        coalesce(sum(case when p.begins then p.consecutive when p.breach and p.is_on then 1 end), 0)::integer as breach_count,
        first(coalesce(trim_scale(p.value)::text, p.text), p.ts) filter (where p.begins) as fired_value,
        last(p.value, p.ts) filter (where p.breach and p.is_on) as last_value,
        (array_agg(p.value order by p.excess desc, p.ts) filter (where p.breach and p.is_on))[1] as peak_value,
        last(p.text, p.ts) filter (where p.breach and p.is_on) as last_text,
        array_agg(p.ts) filter (where p.triggers) as trigger_ts,
        array_agg(p.received_at) filter (where p.triggers) as trigger_received_at,
        first(p.latitude, p.ts) filter (where p.begins) as latitude,
        first(p.longitude, p.ts) filter (where p.begins) as longitude,
        first(p.altitude, p.ts) filter (where p.begins) as altitude,
        -- The level at each beginning, and where it changes.
        array_agg(p.level order by p.ts) filter (where p.is_on and (p.begins or p.level <> p.was_level)) as levels,
        array_agg(p.ts order by p.ts) filter (where p.is_on and (p.begins or p.level <> p.was_level)) as level_ts,
        array_agg(p.received_at order by p.ts) filter (where p.is_on and (p.begins or p.level <> p.was_level)) as level_received_at,
        last(p.is_on, p.ts) as is_on,
        last(p.end_ts, p.ts) filter (where p.end_ts is not null and not p.opens) as end_ts,
        last(p.expires or p.leaves, p.ts) filter (where p.end_ts is not null and not p.opens) as expired,
        -- The row that opens an alert may be the one at which the alert before it is found to have expired.
        max(p.end_ts) filter (where p.opens) as former_end_ts
    from placed p
    group by p.ord, p.seq
),
finished as (
    select *, lead(former_end_ts) over (partition by summed.ord order by seq) as found_end_ts
    from summed
),
-- An alert is in time if one of its triggers was received in time, and the clock of the device is not ahead. Otherwise rows decide.
doubtful as (
    select f.ord, f.seq, f.trigger_ts, f.trigger_received_at, p.device_sn, p.is_urgent, p.event_type, p.late_after
    from finished f
    join pair p using (ord)
    where f.trigger_ts is not null and (p.is_ahead or not exists (
        select from unnest(f.trigger_ts, f.trigger_received_at) as u (ts, received_at) where u.ts + p.late_after >= u.received_at
    ))
),
late as materialized (
    select l.ord, l.seq
    from (
        select
            array_agg(d.ord) as ords, array_agg(d.seq) as seqs, array_agg(d.device_sn) as device_sns, array_agg(d.is_urgent) as is_urgent,
            array_agg(d.event_type) as event_types, array_agg(d.late_after) as late_after, array_agg(u.ts) as trigger_ts,
            array_agg(u.received_at) as received_at
        from doubtful d
        cross join unnest(d.trigger_ts, d.trigger_received_at) as u (ts, received_at)
    ) as d
    cross join lateral vitals.late_alerts(
        d.ords, d.seqs, d.device_sns, d.is_urgent, d.event_types, d.late_after, d.trigger_ts, d.received_at,
        derive_alerts.with_pending, derive_alerts.scan_from
    ) as l
)
select
    s.ord, s.seq, s.started_ts, s.fired_ts, s.last_ts,
    case
        when s.found_end_ts is not null then s.found_end_ts
        when not s.is_on then s.end_ts
        when due.expired then coalesce(s.last_ts, p.seed_last_ts) + p.expire
    end,
    case when s.found_end_ts is not null then true when not s.is_on then s.expired else due.expired end, s.judged_ts,
    s.breach_count, s.fired_value, s.last_value,
    -- The readings before the trigger that raised it with them belong to it.
    case when s.seq > 0 and p.consecutive > 1 and s.started_ts < s.fired_ts and p.kind = 'threshold' then vitals.peak_of_run(
        p.metric, p.device_sn, p.customer_id, p.org_id, p.user_id, s.started_ts, s.fired_ts, p.min_value, p.max_value, s.peak_value,
        derive_alerts.with_pending
    ) else s.peak_value end,
    s.last_text, case when s.trigger_ts is not null then late.ord is not null end, 
    p.customer_id, p.org_id, p.user_id, s.latitude, s.longitude, s.altitude,
    v.fired_level, v.level, v.peak_level, v.level_values, v.level_ts, v.level_late
from finished s
join pair p using (ord)
left join doubtful on doubtful.ord = s.ord and doubtful.seq = s.seq
left join late on late.ord = s.ord and late.seq = s.seq
left join lateral (
    select
        (array_agg(c.level order by c.place))[1] as fired_level,
        coalesce((array_agg(c.level order by c.place desc))[1], p.seed_level) as level,
        coalesce(max(c.level), p.seed_level) as peak_level,
        array_agg(c.level order by c.place) filter (where c.level <> c.was_level) as level_values,
        array_agg(c.ts order by c.place) filter (where c.level <> c.was_level) as level_ts,
        -- All readings of an alert that is in time by the clock of its device alone are in time.
        array_agg(
            c.ts + p.late_after < c.received_at and (doubtful.ord is null or late.ord is not null) order by c.place
        ) filter (where c.level <> c.was_level) as level_late
    from (
        select u.*, lag(u.level, 1, case when s.seq = 0 then p.seed_level else u.level end) over (order by u.place) as was_level
        from unnest(s.levels, s.level_ts, s.level_received_at) with ordinality as u (level, ts, received_at, place)
    ) as c
) as v on p.level_count > 0
cross join lateral (
    select s.is_on and coalesce(coalesce(s.last_ts, p.seed_last_ts) + p.expire < now(), false) as expired
) as due
where s.seq > 0 or s.started_ts is not null or p.seed_on
order by s.ord, s.seq;
end
$$;
comment on function vitals.derive_alerts(
    alert_rule[], integer[], text[], vitals.owner[], timestamptz[], timestamptz[], boolean[], timestamptz[], timestamptz[], integer[], boolean,
    timestamptz, timestamptz
) is 'The alerts that the stored rows cause, for pairs of a rule and a worn device.';
