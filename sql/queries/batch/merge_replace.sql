-- batch.merge_replace
-- Purpose: moves likely duplicates from pg_temp.incoming into health_data; a duplicate replaces the whole row, unless it
-- was received before the stored row (a replay of a reject).
-- Result: the keys of the new rows. A replaced row gets this batch_id, so the relay sees it.
-- Locks: rows of health_data, in the order of the key.
with merged as (
    insert into health_data as known (
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
    on conflict (device_sn, ts) do update set
        batch_id      = excluded.batch_id,
        received_at   = excluded.received_at,
        customer_id   = excluded.customer_id,
        org_id        = excluded.org_id,
        user_id       = excluded.user_id,
        upload_method = excluded.upload_method,
        -- generated: replaced
        heart_rate = excluded.heart_rate,
        blood_oxygen = excluded.blood_oxygen,
        temperature = excluded.temperature,
        pressure_high = excluded.pressure_high,
        pressure_low = excluded.pressure_low,
        stress = excluded.stress,
        step = excluded.step,
        distance = excluded.distance,
        calorie = excluded.calorie,
        latitude = excluded.latitude,
        longitude = excluded.longitude,
        altitude = excluded.altitude,
        respiratory_rate = excluded.respiratory_rate,
        heart_rate_variability = excluded.heart_rate_variability,
        blood_glucose = excluded.blood_glucose,
        skin_temperature = excluded.skin_temperature
        -- end
    where known.received_at <= excluded.received_at
    returning known.device_sn, known.ts, known.xmax = 0 as inserted
)
select device_sn, ts from merged where inserted
