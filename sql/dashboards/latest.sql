-- dashboards.latest
-- Purpose: the newest values of every device that sent a sample within a week, the newest first.
-- Parameters: none.
-- Reads: latest.
-- Cost: one look-up by key per device.
select
    device_sn, user_name, org_name, ts,
    -- generated: columns of dashboard.latest
    heart_rate, blood_oxygen, temperature, pressure_high, pressure_low, stress, step, distance, calorie, latitude,
    longitude, respiratory_rate, heart_rate_variability, blood_glucose, skin_temperature
    -- end
from dashboard.latest
order by ts desc, device_sn
