-- Updates the row of a device from the rows written to device_info, whoever writes them. Each column of device gets the newest value
-- that is not NULL, in whatever order the messages arrive. The trigger reads the messages from the oldest written one on, and the newest
-- of their values replaces the value in device: that value is older than all of them, or comes from one of them.
-- The order is that of vitals.effective_ts, as for samples. It is never later than the event time, so messages before the oldest one need not be read.
-- Locks: rows of device in the order of serials, until the end of the transaction.
create or replace function vitals.update_device_from_info() returns trigger
language plpgsql
set search_path = pg_catalog, public, pg_temp
-- The planner must know the time to exclude the chunks before it.
set plan_cache_mode = force_custom_plan
as $$
declare
    oldest timestamptz;
begin
    select min(vitals.effective_ts(ts, received_at)) into oldest from written;
    if oldest is null then
        return null;
    end if;
    insert into device (device_sn)
    select distinct device_sn
    from written
    where not exists (select from device where device.device_sn = written.device_sn)
    order by device_sn
    on conflict do nothing;
    -- The rows are locked before the messages are read, so messages that another transaction has just committed are read too.
    perform 1 from device where device_sn in (select device_sn from written) order by device_sn for no key update;
    update device
    set info_ts           = greatest(device.info_ts, newest.effective_ts),
        customer_id       = coalesce(newest.customer_id, device.customer_id),
        org_id            = coalesce(newest.org_id, device.org_id),
        user_id           = coalesce(newest.user_id, device.user_id),
        system_version    = coalesce(newest.system_version, device.system_version),
        model             = case when newest.system_version is null then device.model else newest.model end,
        wifi_address      = coalesce(newest.wifi_address, device.wifi_address),
        bluetooth_address = coalesce(newest.bluetooth_address, device.bluetooth_address),
        ip_address        = coalesce(newest.ip_address, device.ip_address),
        network_mode      = coalesce(newest.network_mode, device.network_mode),
        device_name       = coalesce(newest.device_name, device.device_name),
        imei              = coalesce(newest.imei, device.imei),
        battery_level     = coalesce(newest.battery_level, device.battery_level),
        voltage           = coalesce(newest.voltage, device.voltage),
        charging_status   = coalesce(newest.charging_status, device.charging_status),
        wear_state        = coalesce(newest.wear_state, device.wear_state),
        status            = coalesce(newest.status, device.status)
    from (
        select
            i.device_sn,
            max(i.effective_ts)                                                                      as effective_ts,
            last(i.customer_id, i.effective_ts) filter (where i.customer_id is not null)             as customer_id,
            last(i.org_id, i.effective_ts) filter (where i.org_id is not null)                       as org_id,
            last(i.user_id, i.effective_ts) filter (where i.user_id is not null)                     as user_id,
            last(i.system_version, i.effective_ts) filter (where i.system_version is not null)       as system_version,
            last(i.model, i.effective_ts) filter (where i.system_version is not null)                as model,
            last(i.wifi_address, i.effective_ts) filter (where i.wifi_address is not null)           as wifi_address,
            last(i.bluetooth_address, i.effective_ts) filter (where i.bluetooth_address is not null) as bluetooth_address,
            last(i.ip_address, i.effective_ts) filter (where i.ip_address is not null)               as ip_address,
            last(i.network_mode, i.effective_ts) filter (where i.network_mode is not null)           as network_mode,
            last(i.device_name, i.effective_ts) filter (where i.device_name is not null)             as device_name,
            last(i.imei, i.effective_ts) filter (where i.imei is not null)                           as imei,
            last(i.battery_level, i.effective_ts) filter (where i.battery_level is not null)         as battery_level,
            last(i.voltage, i.effective_ts) filter (where i.voltage is not null)                     as voltage,
            last(i.charging_status, i.effective_ts) filter (where i.charging_status is not null)     as charging_status,
            last(i.wear_state, i.effective_ts) filter (where i.wear_state is not null)               as wear_state,
            last(i.status, i.effective_ts) filter (where i.status is not null)                       as status
        from (
            select device_sn, min(vitals.effective_ts(ts, received_at)) as effective_ts
            from written
            group by device_sn
        ) as first_written
        join lateral (
            select *, vitals.effective_ts(ts, received_at) as effective_ts
            from device_info
            where device_info.device_sn = first_written.device_sn and ts >= first_written.effective_ts and ts >= oldest
        ) as i on i.effective_ts >= first_written.effective_ts
        group by i.device_sn
    ) as newest
    where device.device_sn = newest.device_sn;
    return null;
end
$$;
comment on function vitals.update_device_from_info() is 'Statement trigger: updates rows of device from the written device information.';
