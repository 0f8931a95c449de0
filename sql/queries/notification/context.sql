-- notification.context
-- What messages say of alerts besides the text of their rules: who and where, the bounds of the present severity, and the last vital signs of
-- the wearer.
--   one element per alert: $1 its number    $2 until when readings count: when its notification was due, so that each attempt says the same
-- Readings of somebody who wore the device before are left out. Older ones than 6 hours are none of the last.
-- Locks: none.
select w.alert_id, w.until_ts, jsonb_build_object(
    'person', nullif(btrim(u.name), ''),
    'unit', nullif(btrim(o.name), ''),
    'room', u.room,
    'min_value', level.bounds -> 'min',
    'max_value', level.bounds -> 'max',
    'readings', coalesce(last.readings, '[]')
) as context
from (select distinct * from unnest($1::bigint[], $2::timestamptz[]) as d (alert_id, until_ts)) w
join alert a on a.alert_id = w.alert_id
left join app_user u on u.user_id = a.user_id
left join org_unit o on o.org_id = a.org_id
left join alert_rule_version v on v.rule_id = a.rule_id and v.version = a.rule_version
cross join lateral (
    select coalesce(
        (
            select l.bounds
            from jsonb_array_elements(case jsonb_typeof(v.rule -> 'levels') when 'array' then v.rule -> 'levels' else '[]' end) as l (bounds)
            where l.bounds ->> 'severity' = a.severity
        ),
        jsonb_build_object('min', v.rule -> 'min_value', 'max', v.rule -> 'max_value')
    ) as bounds
) level
left join lateral (
    select jsonb_agg(jsonb_build_object('metric', m.metric, 'value', m.value, 'ts', m.ts) order by m.place) as readings
    from (
        select distinct on (r.place) r.place, r.metric, r.value, h.ts
        from (
            select *
            from health_data h
            where h.device_sn = a.device_sn
              and h.ts <= w.until_ts and h.ts > least(a.last_ts, w.until_ts) - interval '6 hours'
              -- For the planner, to leave out chunks.
              and h.ts > now() - interval '30 days'
              and h.user_id is not distinct from a.user_id
            order by h.ts desc
            limit 100
        ) h
        cross join lateral (values
            (1, 'heart_rate', h.heart_rate::numeric),
            (2, 'blood_oxygen', h.blood_oxygen::numeric),
            (3, 'pressure_high', h.pressure_high::numeric),
            (4, 'pressure_low', h.pressure_low::numeric),
            (5, 'temperature', vitals.finite(h.temperature)),
            (6, 'respiratory_rate', vitals.finite(h.respiratory_rate)),
            (7, 'blood_glucose', vitals.finite(h.blood_glucose))
        ) r (place, metric, value)
        where r.value is not null
        order by r.place, h.ts desc
    ) m
) last on true
