-- batch.copy_repeats
-- Purpose: copies likely duplicates into the temporary table of the session.
-- Locks: none that other sessions see.
copy pg_temp.incoming (
    device_sn, ts, received_at, customer_id, org_id, user_id, upload_method,
    -- generated: columns
    heart_rate, blood_oxygen, temperature, pressure_high, pressure_low, stress, step, distance, calorie, latitude,
    longitude, altitude, respiratory_rate, heart_rate_variability, blood_glucose, skin_temperature
    -- end
) from stdin (format binary)
