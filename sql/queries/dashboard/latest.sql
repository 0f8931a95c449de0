-- dashboard.latest
-- Purpose: newest samples, the newest first: of some devices, of the devices that a person wears now, or of all devices.
-- Parameters: $1 devices, or NULL; $2 person, or NULL; $3 most rows.
-- Locks: none.
select
    device_sn, ts, user_id, user_name, org_id, org_name, customer_id,
    -- generated: columns of dashboard.latest
    heart_rate, blood_oxygen, temperature, pressure_high, pressure_low, stress, step, distance, calorie, latitude,
    longitude, respiratory_rate, heart_rate_variability, blood_glucose, skin_temperature
    -- end
from dashboard.latest
where ($1::text[] is null or device_sn = any ($1))
    and (
        $2::bigint is null
        or user_id = $2 and device_sn = any (array(select w.device_sn from dashboard.worn($2, now(), 'infinity') as w))
    )
order by ts desc, device_sn
limit $3::bigint
