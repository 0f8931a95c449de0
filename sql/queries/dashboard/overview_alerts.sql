-- dashboard.overview_alerts
-- Purpose: what a wall shows of alerts: the open ones by severity, and those of the last 24 hours, the current one included, by hour and
-- by subject. One row.
-- Parameters: none.
-- Locks: none. Cost: grows with the alerts of a day and the open ones, which indexes find.
with span as (
    select date_trunc('hour', now()) - interval '23 hours' as from_ts
), fired as materialized (
    select a.fired_ts, a.peak_severity, a.type
    from dashboard.alert as a
    where a.fired_ts >= (select span.from_ts from span) and a.fired_ts <= now()
), open_alert as materialized (
    select a.severity, a.status from dashboard.alert as a where a.status <> 'resolved'
), severity as (
    select
        s.severity, s.place,
        (select count(*) from open_alert as o where o.severity = s.severity and o.status = 'firing')       as firing,
        (select count(*) from open_alert as o where o.severity = s.severity and o.status = 'acknowledged') as acknowledged
    from unnest(array['critical', 'major', 'minor', 'info']) with ordinality as s (severity, place)
), hour as (
    select
        h.ts,
        count(*) filter (where f.peak_severity = 'critical') as critical,
        count(*) filter (where f.peak_severity = 'major')    as major,
        count(*) filter (where f.peak_severity = 'minor')    as minor,
        count(*) filter (where f.peak_severity = 'info')     as info
    from span
    cross join lateral generate_series(span.from_ts, now(), interval '1 hour') as h (ts)
    left join fired as f on f.fired_ts >= h.ts and f.fired_ts < h.ts + interval '1 hour'
    group by h.ts
), subject as (
    select f.type, count(*) as alerts from fired as f group by f.type
)
select
    (select jsonb_agg(to_jsonb(s) - 'place' order by s.place) from severity as s) as open_alerts,
    (select jsonb_agg(to_jsonb(h) order by h.ts) from hour as h) as alerts_by_hour,
    coalesce((select jsonb_agg(to_jsonb(t) order by t.alerts desc, t.type) from subject as t), '[]') as alerts_by_type
