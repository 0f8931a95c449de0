-- batch.merge_keep
-- Purpose: moves likely duplicates from pg_temp.incoming into health_data; a duplicate changes nothing.
-- Result: the keys of the new rows.
-- Locks: rows of health_data, in the order of the key.
insert into health_data (
    device_sn, ts, received_at, customer_id, org_id, user_id, upload_method,
    -- generated: columns
    heart_rate, blood_oxygen, temperature, pressure_high, pressure_low, stress, step, distance, calorie, latitude,
    longitude, altitude, respiratory_rate, heart_rate_variability, blood_glucose, skin_temperature
    -- end
)
select
    device_sn, ts, received_at, customer_id, org_id, user_id, upload_method,
    -- generated: columns
    heart_rate, blood_oxygen, temperature, pressure_high, pressure_low, stress, step, distance, calorie, latitude,
    longitude, altitude, respiratory_rate, heart_rate_variability, blood_glucose, skin_temperature
    -- end
from pg_temp.incoming
order by device_sn, ts
on conflict (device_sn, ts) do nothing
returning device_sn, ts
