-- dashboards.person_week
-- Purpose: a person's week, or any other time, by days: vital signs and the totals of each day.
-- day is the date in the rollups' zone, whatever zone the session has.
-- Parameters: device (serial), from, to (buckets that begin from then on, and before then).
-- Reads: device_daily, the rollup of one device.
-- Cost: under 2 ms for a week (benches/README.md); planned once in a session.
select
    bucket                          as time,
    day,
    samples,
    heart_rate_min,
    round(heart_rate_avg, 1)        as heart_rate_avg,
    heart_rate_max,
    blood_oxygen_min,
    round(blood_oxygen_avg, 1)      as blood_oxygen_avg,
    round(temperature_avg, 2)       as temperature_avg,
    temperature_max,
    round(pressure_high_avg, 1)     as pressure_high_avg,
    round(pressure_low_avg, 1)      as pressure_low_avg,
    round(stress_avg, 1)            as stress_avg,
    step_max,
    distance_max,
    calorie_max
from dashboard.device_daily(:'device', :'from'::timestamptz, :'to'::timestamptz)
