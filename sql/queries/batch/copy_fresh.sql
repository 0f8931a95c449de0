-- batch.copy_fresh
-- Purpose: copies rows that are expected to be new directly into the table. batch_id has its default.
-- Locks: none that others wait for.
copy health_data (
    device_sn, ts, received_at, customer_id, org_id, user_id, upload_method,
    -- generated: columns
    heart_rate, blood_oxygen, temperature, pressure_high, pressure_low, stress, step, distance, calorie, latitude,
    longitude, altitude, respiratory_rate, heart_rate_variability, blood_glucose, skin_temperature
    -- end
) from stdin (format binary)
