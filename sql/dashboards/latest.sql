-- dashboards.latest
-- Purpose: the newest values of every device that sent anything within a week, the newest first.
-- Parameters: none.
-- Reads: latest.
-- Cost: one look by key per device.
select
    device_sn, user_name, org_name, ts, heart_rate, blood_oxygen, temperature, pressure_high, pressure_low, stress, step,
    latitude, longitude
from dashboard.latest
order by ts desc, device_sn
