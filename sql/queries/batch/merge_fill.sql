-- batch.merge_fill
-- Purpose: moves likely duplicates from pg_temp.incoming into health_data; a duplicate fills columns that are NULL.
-- Result: the keys of the new rows. A row that a duplicate has filled gets this batch_id, so the relay sees it.
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
        customer_id   = coalesce(known.customer_id, excluded.customer_id),
        org_id        = coalesce(known.org_id, excluded.org_id),
        user_id       = coalesce(known.user_id, excluded.user_id),
        upload_method = coalesce(known.upload_method, excluded.upload_method),
        -- generated: filled
        heart_rate = coalesce(known.heart_rate, excluded.heart_rate),
        blood_oxygen = coalesce(known.blood_oxygen, excluded.blood_oxygen),
        temperature = coalesce(known.temperature, excluded.temperature),
        pressure_high = coalesce(known.pressure_high, excluded.pressure_high),
        pressure_low = coalesce(known.pressure_low, excluded.pressure_low),
        stress = coalesce(known.stress, excluded.stress),
        step = coalesce(known.step, excluded.step),
        distance = coalesce(known.distance, excluded.distance),
        calorie = coalesce(known.calorie, excluded.calorie),
        latitude = coalesce(known.latitude, excluded.latitude),
        longitude = coalesce(known.longitude, excluded.longitude),
        altitude = coalesce(known.altitude, excluded.altitude),
        respiratory_rate = coalesce(known.respiratory_rate, excluded.respiratory_rate),
        heart_rate_variability = coalesce(known.heart_rate_variability, excluded.heart_rate_variability),
        blood_glucose = coalesce(known.blood_glucose, excluded.blood_glucose),
        skin_temperature = coalesce(known.skin_temperature, excluded.skin_temperature)
        -- end
    where (known.customer_id is null and excluded.customer_id is not null)
       or (known.org_id is null and excluded.org_id is not null)
       or (known.user_id is null and excluded.user_id is not null)
       or (known.upload_method is null and excluded.upload_method is not null)
       -- generated: fills
       or (known.heart_rate is null and excluded.heart_rate is not null)
       or (known.blood_oxygen is null and excluded.blood_oxygen is not null)
       or (known.temperature is null and excluded.temperature is not null)
       or (known.pressure_high is null and excluded.pressure_high is not null)
       or (known.pressure_low is null and excluded.pressure_low is not null)
       or (known.stress is null and excluded.stress is not null)
       or (known.step is null and excluded.step is not null)
       or (known.distance is null and excluded.distance is not null)
       or (known.calorie is null and excluded.calorie is not null)
       or (known.latitude is null and excluded.latitude is not null)
       or (known.longitude is null and excluded.longitude is not null)
       or (known.altitude is null and excluded.altitude is not null)
       or (known.respiratory_rate is null and excluded.respiratory_rate is not null)
       or (known.heart_rate_variability is null and excluded.heart_rate_variability is not null)
       or (known.blood_glucose is null and excluded.blood_glucose is not null)
       or (known.skin_temperature is null and excluded.skin_temperature is not null)
       -- end
    -- xmax is 0 in a row that this statement inserted, and this transaction in a row that it updated.
    returning known.device_sn, known.ts, known.xmax = 0 as inserted
)
select device_sn, ts from merged where inserted
