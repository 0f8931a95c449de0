-- Every device in ISO weeks (from Monday) of the configured zone.
-- Source: health_daily. Parameter: time_zone, an IANA name, fixed when the rollup is made. Locks: none.
-- Of the daily totals, _max is the best day and _sum the week.
select
    device_sn,
    time_bucket(interval '7 days', bucket, :'time_zone'::text) as bucket,
    sum(samples)::bigint as samples,
    min(first_ts) as first_ts,
    max(last_ts) as last_ts,
    -- generated: rollup of days
    min(heart_rate_min) as heart_rate_min,
    max(heart_rate_max) as heart_rate_max,
    sum(heart_rate_sum)::bigint as heart_rate_sum,
    sum(heart_rate_count)::bigint as heart_rate_count,
    sum(heart_rate_sum) / sum(heart_rate_count) as heart_rate_avg,
    min(blood_oxygen_min) as blood_oxygen_min,
    max(blood_oxygen_max) as blood_oxygen_max,
    sum(blood_oxygen_sum)::bigint as blood_oxygen_sum,
    sum(blood_oxygen_count)::bigint as blood_oxygen_count,
    sum(blood_oxygen_sum) / sum(blood_oxygen_count) as blood_oxygen_avg,
    min(temperature_min) as temperature_min,
    max(temperature_max) as temperature_max,
    sum(temperature_sum) as temperature_sum,
    sum(temperature_count)::bigint as temperature_count,
    sum(temperature_sum) / sum(temperature_count) as temperature_avg,
    min(pressure_high_min) as pressure_high_min,
    max(pressure_high_max) as pressure_high_max,
    sum(pressure_high_sum)::bigint as pressure_high_sum,
    sum(pressure_high_count)::bigint as pressure_high_count,
    sum(pressure_high_sum) / sum(pressure_high_count) as pressure_high_avg,
    min(pressure_low_min) as pressure_low_min,
    max(pressure_low_max) as pressure_low_max,
    sum(pressure_low_sum)::bigint as pressure_low_sum,
    sum(pressure_low_count)::bigint as pressure_low_count,
    sum(pressure_low_sum) / sum(pressure_low_count) as pressure_low_avg,
    min(stress_min) as stress_min,
    max(stress_max) as stress_max,
    sum(stress_sum)::bigint as stress_sum,
    sum(stress_count)::bigint as stress_count,
    sum(stress_sum) / sum(stress_count) as stress_avg,
    max(step_max) as step_max,
    sum(step_max) as step_sum,
    max(distance_max) as distance_max,
    sum(distance_max) as distance_sum,
    max(calorie_max) as calorie_max,
    sum(calorie_max) as calorie_sum
    -- end
from health_daily
group by device_sn, time_bucket(interval '7 days', bucket, :'time_zone'::text)
