-- Every device in quarter hours, cut where UTC cuts them: every zone in use is whole quarter hours off UTC, so days of
-- any zone can be made of these.
-- Source: health_data. Parameters: none. Locks: none.
-- A sum and a count of one vital are null and 0 together, so no average divides by 0.
select
    device_sn,
    time_bucket(interval '15 minutes', ts) as bucket,
    count(*) as samples,
    min(ts) as first_ts,
    max(ts) as last_ts,
    -- generated: rollup of readings
    min(heart_rate) as heart_rate_min,
    max(heart_rate) as heart_rate_max,
    sum(heart_rate) as heart_rate_sum,
    count(heart_rate) as heart_rate_count,
    avg(heart_rate) as heart_rate_avg,
    min(blood_oxygen) as blood_oxygen_min,
    max(blood_oxygen) as blood_oxygen_max,
    sum(blood_oxygen) as blood_oxygen_sum,
    count(blood_oxygen) as blood_oxygen_count,
    avg(blood_oxygen) as blood_oxygen_avg,
    min(temperature) as temperature_min,
    max(temperature) as temperature_max,
    sum(temperature) as temperature_sum,
    count(temperature) as temperature_count,
    avg(temperature) as temperature_avg,
    min(pressure_high) as pressure_high_min,
    max(pressure_high) as pressure_high_max,
    sum(pressure_high) as pressure_high_sum,
    count(pressure_high) as pressure_high_count,
    avg(pressure_high) as pressure_high_avg,
    min(pressure_low) as pressure_low_min,
    max(pressure_low) as pressure_low_max,
    sum(pressure_low) as pressure_low_sum,
    count(pressure_low) as pressure_low_count,
    avg(pressure_low) as pressure_low_avg,
    min(stress) as stress_min,
    max(stress) as stress_max,
    sum(stress) as stress_sum,
    count(stress) as stress_count,
    avg(stress) as stress_avg,
    max(step) as step_max,
    max(distance) as distance_max,
    max(calorie) as calorie_max
    -- end
from health_data
group by device_sn, time_bucket(interval '15 minutes', ts)
