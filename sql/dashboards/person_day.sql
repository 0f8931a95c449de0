-- dashboards.person_day
-- Purpose: the day of a person by hours: vital signs, and the totals of the day so far.
-- Parameters: device (serial); from, to (buckets that begin at from or later, and before to).
-- Reads: device_hourly, the rollup of one device.
-- Cost: under 2 ms for a day (benches/README.md); the function is planned once in a session.
select
    bucket as time, samples,
    -- generated: columns of a person
    heart_rate_min,
    round(heart_rate_avg, 1) as heart_rate_avg,
    heart_rate_max,
    blood_oxygen_min,
    round(blood_oxygen_avg, 1) as blood_oxygen_avg,
    blood_oxygen_max,
    temperature_min,
    round(temperature_avg, 2) as temperature_avg,
    temperature_max,
    pressure_high_min,
    round(pressure_high_avg, 1) as pressure_high_avg,
    pressure_high_max,
    pressure_low_min,
    round(pressure_low_avg, 1) as pressure_low_avg,
    pressure_low_max,
    stress_min,
    round(stress_avg, 1) as stress_avg,
    stress_max,
    step_max,
    distance_max,
    calorie_max,
    respiratory_rate_min,
    round(respiratory_rate_avg, 1) as respiratory_rate_avg,
    respiratory_rate_max,
    heart_rate_variability_min,
    round(heart_rate_variability_avg, 1) as heart_rate_variability_avg,
    heart_rate_variability_max,
    blood_glucose_min,
    round(blood_glucose_avg, 1) as blood_glucose_avg,
    blood_glucose_max,
    skin_temperature_min,
    round(skin_temperature_avg, 2) as skin_temperature_avg,
    skin_temperature_max
    -- end
from dashboard.device_hourly(:'device', :'from'::timestamptz, :'to'::timestamptz)
