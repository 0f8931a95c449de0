-- The row of a device follows its messages, whoever writes them. For each column the newest message that says something
-- counts, whatever order they come in: of the messages from the oldest that is written here on, the newest value replaces
-- what is there, for what is there is either older than all of these or one of them.
-- Newest by vitals.effective_ts, as samples are. None counts as later than its event time, so those before the oldest need not be read.
-- Locks: rows of device in the order of serials, until the end of the transaction.
create or replace function vitals.update_device_from_info() returns trigger
language plpgsql
set search_path = pg_catalog, public, pg_temp
-- The time has to be seen by the planner: it leaves out the chunks before it.
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
    -- Locked before the messages are read: what another transaction committed meanwhile is read too.
    perform 1 from device where device_sn in (select device_sn from written) order by device_sn for no key update;
    update device
    set info_ts           = greatest(device.info_ts, said.effective_ts),
        customer_id       = coalesce(said.customer_id, device.customer_id),
        org_id            = coalesce(said.org_id, device.org_id),
        user_id           = coalesce(said.user_id, device.user_id),
        system_version    = coalesce(said.system_version, device.system_version),
        model             = case when said.system_version is null then device.model else said.model end,
        wifi_address      = coalesce(said.wifi_address, device.wifi_address),
        bluetooth_address = coalesce(said.bluetooth_address, device.bluetooth_address),
        ip_address        = coalesce(said.ip_address, device.ip_address),
        network_mode      = coalesce(said.network_mode, device.network_mode),
        device_name       = coalesce(said.device_name, device.device_name),
        imei              = coalesce(said.imei, device.imei),
        battery_level     = coalesce(said.battery_level, device.battery_level),
        voltage           = coalesce(said.voltage, device.voltage),
        charging_status   = coalesce(said.charging_status, device.charging_status),
        wear_state        = coalesce(said.wear_state, device.wear_state),
        status            = coalesce(said.status, device.status)
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
        ) as from_here
        join lateral (
            select *, vitals.effective_ts(ts, received_at) as effective_ts
            from device_info
            where device_info.device_sn = from_here.device_sn and ts >= from_here.effective_ts and ts >= oldest
        ) as i on i.effective_ts >= from_here.effective_ts
        group by i.device_sn
    ) as said
    where device.device_sn = said.device_sn;
    return null;
end
$$;
comment on function vitals.update_device_from_info() is 'Statement trigger: brings rows of device up to date with the messages written.';
