-- The metrics as src/metric describes them, and how one is read from a row of health_data.
-- Locks: none.

create or replace function vitals.metric()
returns table (name text, title text, unit text, kind text, lowest integer, highest integer)
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
    values
        -- generated: metrics
        ('heart_rate', 'heart rate', 'beats per minute', 'vital sign', 1, 300),
        ('blood_oxygen', 'SpO2', 'percent', 'vital sign', 1, 100),
        ('temperature', 'body temperature', 'degrees Celsius', 'vital sign', 10, 50),
        ('pressure_high', 'systolic pressure (derived by the watch)', 'mmHg', 'vital sign', 1, 350),
        ('pressure_low', 'diastolic pressure (derived by the watch)', 'mmHg', 'vital sign', 1, 250),
        ('stress', 'stress', 'score 1 to 100', 'vital sign', 1, 100),
        ('step', 'steps', 'count', 'day total', 0, 300000),
        ('distance', 'distance', 'metres', 'day total', 0, 1000000),
        ('calorie', 'energy', 'small calories', 'day total', 0, 100000000),
        ('latitude', 'latitude', 'degrees north, WGS 84', 'position', -90, 90),
        ('longitude', 'longitude', 'degrees east, WGS 84', 'position', -180, 180),
        ('altitude', 'altitude', 'metres', 'position', -1000, 20000),
        ('respiratory_rate', 'respiratory rate', 'breaths per minute', 'vital sign', 1, 120),
        ('heart_rate_variability', 'heart rate variability (RMSSD)', 'milliseconds', 'vital sign', 1, 1000),
        ('blood_glucose', 'blood glucose', 'mmol/L', 'vital sign', 1, 60),
        ('skin_temperature', 'skin temperature', 'degrees Celsius', 'vital sign', 1, 60)
        -- end
$$;
comment on function vitals.metric() is 'The metrics: column of health_data, name and unit in words, kind, and the lowest and highest value that can be stored.';

-- The range of values that a sensor can show of a vital sign. A reading outside it is not stored.
create or replace function vitals.metric_range(metric text) returns numrange
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
    select numrange(m.lowest, m.highest, '[]') from vitals.metric() as m where m.name = metric and m.kind = 'vital sign'
$$;
comment on function vitals.metric_range(text) is 'The range of values that a sensor can show of a vital sign, in its unit, bounds included; NULL: it is not a vital sign.';

-- PostgreSQL inlines finite, metric_value and is_measured into the calling statement; a SET clause would prevent that. The statement then reads
-- only the columns that they name.

-- Whoever writes by hand can store NaN or infinity, which nobody measured.
create or replace function vitals.finite(value numeric) returns numeric
language sql immutable parallel safe
as $$
    select case when value < 'Infinity' and value > '-Infinity' then value end
$$;
comment on function vitals.finite(numeric) is 'The value; NULL: it is NaN or infinite.';

-- The reading of a vital sign in a row of health_data; NULL: not measured.
create or replace function vitals.metric_value(metric text, h public.health_data) returns numeric
language sql immutable
as $$
    select case metric
        -- generated: value of a vital sign
        when 'heart_rate' then h.heart_rate::numeric
        when 'blood_oxygen' then h.blood_oxygen::numeric
        when 'temperature' then vitals.finite(h.temperature)
        when 'pressure_high' then h.pressure_high::numeric
        when 'pressure_low' then h.pressure_low::numeric
        when 'stress' then h.stress::numeric
        when 'respiratory_rate' then vitals.finite(h.respiratory_rate)
        when 'heart_rate_variability' then vitals.finite(h.heart_rate_variability)
        when 'blood_glucose' then vitals.finite(h.blood_glucose)
        when 'skin_temperature' then vitals.finite(h.skin_temperature)
        -- end
    end
$$;
comment on function vitals.metric_value(text, public.health_data) is 'The reading of a vital sign in a row of health_data.';

-- Whether a row of health_data has a reading for a rule: of one metric, or of any of several (if metric is NULL).
create or replace function vitals.is_measured(metric text, metrics text[], h public.health_data) returns boolean
language sql immutable
as $$
    select case coalesce(metric, '')
        -- generated: whether a vital sign is measured
        when 'heart_rate' then h.heart_rate is not null
        when 'blood_oxygen' then h.blood_oxygen is not null
        when 'temperature' then vitals.finite(h.temperature) is not null
        when 'pressure_high' then h.pressure_high is not null
        when 'pressure_low' then h.pressure_low is not null
        when 'stress' then h.stress is not null
        when 'respiratory_rate' then vitals.finite(h.respiratory_rate) is not null
        when 'heart_rate_variability' then vitals.finite(h.heart_rate_variability) is not null
        when 'blood_glucose' then vitals.finite(h.blood_glucose) is not null
        when 'skin_temperature' then vitals.finite(h.skin_temperature) is not null
        -- end
        else
            -- generated: whether any of metrics is measured
            h.heart_rate is not null and 'heart_rate' = any (metrics)
            or h.blood_oxygen is not null and 'blood_oxygen' = any (metrics)
            or vitals.finite(h.temperature) is not null and 'temperature' = any (metrics)
            or h.pressure_high is not null and 'pressure_high' = any (metrics)
            or h.pressure_low is not null and 'pressure_low' = any (metrics)
            or h.stress is not null and 'stress' = any (metrics)
            or vitals.finite(h.respiratory_rate) is not null and 'respiratory_rate' = any (metrics)
            or vitals.finite(h.heart_rate_variability) is not null and 'heart_rate_variability' = any (metrics)
            or vitals.finite(h.blood_glucose) is not null and 'blood_glucose' = any (metrics)
            or vitals.finite(h.skin_temperature) is not null and 'skin_temperature' = any (metrics)
            -- end
    end
$$;
comment on function vitals.is_measured(text, text[], public.health_data) is 'Whether a row of health_data has a reading for a rule.';
