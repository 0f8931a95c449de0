-- device_info.add
-- Purpose: stores device information; of two messages of the same time, the second fills NULLs of the first.
-- Parameters, arrays of the same length, no key twice: $1 device_sn, $2 ts, $3 received_at, $4 customer_id, $5 org_id, $6
-- user_id, $7 system_version, $8 model, $9 wifi_address, $10 bluetooth_address, $11 ip_address, $12 network_mode, $13
-- device_name, $14 imei, $15 battery_level, $16 voltage, $17 charging_status, $18 wear_state, $19 status.
-- Result: the keys of the new rows. A row that was filled gets this batch_id, so the relay sees it.
-- Locks: rows of device_info in the order of the key, then rows of device (trigger update_device_from_info).
with kept as (
    insert into device_info as known (
        device_sn, ts, received_at, customer_id, org_id, user_id, system_version, model, wifi_address,
        bluetooth_address, ip_address, network_mode, device_name, imei, battery_level, voltage, charging_status,
        wear_state, status
    )
    select
        device_sn, ts, received_at, customer_id, org_id, user_id, system_version, model, wifi_address,
        bluetooth_address, ip_address, network_mode, device_name, imei, battery_level, voltage, charging_status,
        wear_state, status
    from unnest(
        $1::text[], $2::timestamptz[], $3::timestamptz[], $4::bigint[], $5::bigint[], $6::bigint[], $7::text[],
        $8::text[], $9::text[], $10::text[], $11::text[], $12::text[], $13::text[], $14::text[], $15::smallint[],
        $16::integer[], $17::text[], $18::text[], $19::text[]
    ) as sent (
        device_sn, ts, received_at, customer_id, org_id, user_id, system_version, model, wifi_address,
        bluetooth_address, ip_address, network_mode, device_name, imei, battery_level, voltage, charging_status,
        wear_state, status
    )
    order by device_sn collate "C", ts
    on conflict (device_sn, ts) do update set
        batch_id          = excluded.batch_id,
        customer_id       = coalesce(known.customer_id, excluded.customer_id),
        org_id            = coalesce(known.org_id, excluded.org_id),
        user_id           = coalesce(known.user_id, excluded.user_id),
        system_version    = coalesce(known.system_version, excluded.system_version),
        model             = case when known.system_version is null then excluded.model else known.model end,
        wifi_address      = coalesce(known.wifi_address, excluded.wifi_address),
        bluetooth_address = coalesce(known.bluetooth_address, excluded.bluetooth_address),
        ip_address        = coalesce(known.ip_address, excluded.ip_address),
        network_mode      = coalesce(known.network_mode, excluded.network_mode),
        device_name       = coalesce(known.device_name, excluded.device_name),
        imei              = coalesce(known.imei, excluded.imei),
        battery_level     = coalesce(known.battery_level, excluded.battery_level),
        voltage           = coalesce(known.voltage, excluded.voltage),
        charging_status   = coalesce(known.charging_status, excluded.charging_status),
        wear_state        = coalesce(known.wear_state, excluded.wear_state),
        status            = coalesce(known.status, excluded.status)
    where (known.customer_id is null and excluded.customer_id is not null)
       or (known.org_id is null and excluded.org_id is not null)
       or (known.user_id is null and excluded.user_id is not null)
       or (known.system_version is null and excluded.system_version is not null)
       or (known.wifi_address is null and excluded.wifi_address is not null)
       or (known.bluetooth_address is null and excluded.bluetooth_address is not null)
       or (known.ip_address is null and excluded.ip_address is not null)
       or (known.network_mode is null and excluded.network_mode is not null)
       or (known.device_name is null and excluded.device_name is not null)
       or (known.imei is null and excluded.imei is not null)
       or (known.battery_level is null and excluded.battery_level is not null)
       or (known.voltage is null and excluded.voltage is not null)
       or (known.charging_status is null and excluded.charging_status is not null)
       or (known.wear_state is null and excluded.wear_state is not null)
       or (known.status is null and excluded.status is not null)
    -- xmax is 0 in a row that this statement inserted, and this transaction in a row that it updated.
    returning known.device_sn, known.ts, known.xmax = 0 as inserted
)
select device_sn, ts from kept where inserted
