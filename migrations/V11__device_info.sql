-- What devices say of themselves: every message (device_info), and what they amount to (columns of device).
-- Locks: device and outbox, for the moment of each statement.

alter table device
    add column info_ts           timestamptz,
    add column customer_id       bigint,
    add column org_id            bigint,
    add column user_id           bigint,
    add column system_version    text,
    add column model             text collate "C",
    add column wifi_address      text collate "C",
    add column bluetooth_address text collate "C",
    add column ip_address        text collate "C",
    add column network_mode      text,
    add column device_name       text,
    add column imei              text collate "C",
    add column battery_level     smallint,
    add column voltage           integer,
    add column charging_status   text collate "C",
    add column wear_state        text,
    add column status            text,
    add constraint device_charging_status_check check (charging_status in ('CHARGING', 'NOT_CHARGING', 'UNKNOWN'));

comment on column device.info_ts           is 'Event time of the newest message of device_info. NULL: the device never said anything of itself.';
comment on column device.customer_id       is 'Tenant the device named last; whom it is bound to is another matter. NULL: it named none.';
comment on column device.org_id            is 'Organisation unit the device named last. NULL: it named none.';
comment on column device.user_id           is 'Wearer the device named last. NULL: it named none.';
comment on column device.system_version    is 'Firmware, as sent. This column and those below hold, each by itself, the newest value by event time. NULL: never sent.';
comment on column device.model             is 'Model: the leading AAA-AAnn of the firmware. NULL: none was sent, or it begins otherwise.';
comment on column device.wifi_address      is 'MAC address of the WLAN, upper case with colons; as sent where it is none. NULL: never sent.';
comment on column device.bluetooth_address is 'MAC address of Bluetooth, in the same form. NULL: never sent.';
comment on column device.ip_address        is 'First IPv4 address the device named; what it named where that is none. NULL: never sent.';
comment on column device.network_mode      is 'How the device reaches the network: its own number or word. NULL: never sent.';
comment on column device.device_name       is 'Name its wearer sees. NULL: never sent.';
comment on column device.imei              is 'IMEI of its modem. NULL: never sent.';
comment on column device.battery_level     is 'Battery, percent. NULL: never sent.';
comment on column device.voltage           is 'Battery, millivolts. NULL: never sent.';
comment on column device.charging_status   is 'CHARGING, NOT_CHARGING, or UNKNOWN where the device said neither. NULL: never sent.';
comment on column device.wear_state        is '0 not worn, 1 worn; the device''s own word where it is neither. NULL: never sent.';
comment on column device.status            is 'State the device says it is in, its own word. NULL: never sent.';

create table device_info (
    device_sn         text collate "C" not null,
    ts                timestamptz not null,
    received_at       timestamptz not null default now(),
    batch_id          bigint      not null default txid_current(),
    customer_id       bigint,
    org_id            bigint,
    user_id           bigint,
    system_version    text,
    model             text collate "C",
    wifi_address      text collate "C",
    bluetooth_address text collate "C",
    ip_address        text collate "C",
    network_mode      text,
    device_name       text,
    imei              text collate "C",
    battery_level     smallint,
    voltage           integer,
    charging_status   text collate "C",
    wear_state        text,
    status            text,
    constraint device_info_pkey primary key (device_sn, ts),
    constraint device_info_charging_status_check check (charging_status in ('CHARGING', 'NOT_CHARGING', 'UNKNOWN'))
);
select create_hypertable('device_info', 'ts', chunk_time_interval => interval '7 days', create_default_indexes => false);
create index device_info_batch_id_idx on device_info (batch_id);

comment on table device_info is 'One row per message of a device about itself. Two messages of one instant are one row: what the first left open the second fills. Hypertable, one chunk a week.';
comment on column device_info.device_sn         is 'Serial number of the device, as it sends it.';
comment on column device_info.ts                is 'When it was so (event time); the time of receipt where the message names none.';
comment on column device_info.received_at       is 'When the service took the message in which the row first came.';
comment on column device_info.batch_id          is 'Transaction that last wrote the row (txid_current()); joins outbox and vitals.ingest_batch.';
comment on column device_info.customer_id       is 'Tenant, 64 bit. NULL: not said.';
comment on column device_info.org_id            is 'Organisation unit, 64 bit. NULL: not said.';
comment on column device_info.user_id           is 'Wearer, 64 bit. NULL: not said.';
comment on column device_info.system_version    is 'Firmware, as sent. NULL: not said.';
comment on column device_info.model             is 'Model: the leading AAA-AAnn of the firmware. NULL: no firmware said, or it begins otherwise.';
comment on column device_info.wifi_address      is 'MAC address of the WLAN, upper case with colons; as sent where it is none. NULL: not said.';
comment on column device_info.bluetooth_address is 'MAC address of Bluetooth, in the same form. NULL: not said.';
comment on column device_info.ip_address        is 'First IPv4 address the message names; what it names where that is none. NULL: not said.';
comment on column device_info.network_mode      is 'How the device reaches the network: its own number or word. NULL: not said.';
comment on column device_info.device_name       is 'Name its wearer sees. NULL: not said.';
comment on column device_info.imei              is 'IMEI of its modem. NULL: not said.';
comment on column device_info.battery_level     is 'Battery, percent. NULL: not said.';
comment on column device_info.voltage           is 'Battery, millivolts. NULL: not said.';
comment on column device_info.charging_status   is 'CHARGING, NOT_CHARGING, or UNKNOWN where the message says neither. NULL: not said.';
comment on column device_info.wear_state        is '0 not worn, 1 worn; the device''s own word where it is neither. NULL: not said.';
comment on column device_info.status            is 'State the device says it is in, its own word. NULL: not said.';

-- The relay reads device_info back only for batches that have some.
alter table outbox add column device_infos integer;
comment on column outbox.rows         is 'Rows the batch offered to health_data. NULL: not known.';
comment on column outbox.device_infos is 'Rows the batch offered to device_info. NULL: not known.';
comment on table outbox is 'Committed transactions on health_data, device_info and device_event that were not reacted to yet. Deleting a row undoes nothing but the reaction.';
comment on function vitals.outbox_add() is 'Statement trigger: announces a transaction that wrote what is reacted to without saying so itself.';

create trigger device_info_outbox
    after insert on device_info
    for each statement execute function vitals.outbox_add();

-- The row of a device follows its messages, whoever writes them. For each column the newest message that says something
-- counts, whatever order they come in: of the messages from the oldest that is written here on, the newest value replaces
-- what is there, for what is there is either older than all of these or one of them.
-- Locks: rows of device in the order of serials, until the end of the transaction.
create function vitals.device_follow_info() returns trigger
language plpgsql
set search_path = pg_catalog, public, pg_temp
-- The time has to be seen by the planner: it leaves out the chunks before it.
set plan_cache_mode = force_custom_plan
as $$
declare
    oldest timestamptz;
begin
    select min(ts) into oldest from written;
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
    set info_ts           = greatest(device.info_ts, said.ts),
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
            max(i.ts)                                                                        as ts,
            last(i.customer_id, i.ts) filter (where i.customer_id is not null)               as customer_id,
            last(i.org_id, i.ts) filter (where i.org_id is not null)                         as org_id,
            last(i.user_id, i.ts) filter (where i.user_id is not null)                       as user_id,
            last(i.system_version, i.ts) filter (where i.system_version is not null)         as system_version,
            last(i.model, i.ts) filter (where i.system_version is not null)                  as model,
            last(i.wifi_address, i.ts) filter (where i.wifi_address is not null)             as wifi_address,
            last(i.bluetooth_address, i.ts) filter (where i.bluetooth_address is not null)   as bluetooth_address,
            last(i.ip_address, i.ts) filter (where i.ip_address is not null)                 as ip_address,
            last(i.network_mode, i.ts) filter (where i.network_mode is not null)             as network_mode,
            last(i.device_name, i.ts) filter (where i.device_name is not null)               as device_name,
            last(i.imei, i.ts) filter (where i.imei is not null)                             as imei,
            last(i.battery_level, i.ts) filter (where i.battery_level is not null)           as battery_level,
            last(i.voltage, i.ts) filter (where i.voltage is not null)                       as voltage,
            last(i.charging_status, i.ts) filter (where i.charging_status is not null)       as charging_status,
            last(i.wear_state, i.ts) filter (where i.wear_state is not null)                 as wear_state,
            last(i.status, i.ts) filter (where i.status is not null)                         as status
        from (select device_sn, min(ts) as ts from written group by device_sn) as from_here
        join device_info as i on i.device_sn = from_here.device_sn and i.ts >= from_here.ts and i.ts >= oldest
        group by i.device_sn
    ) as said
    where device.device_sn = said.device_sn;
    return null;
end
$$;
comment on function vitals.device_follow_info() is 'Statement trigger: brings rows of device up to date with the messages written.';

create trigger device_info_device_insert
    after insert on device_info referencing new table as written
    for each statement execute function vitals.device_follow_info();
create trigger device_info_device_update
    after update on device_info referencing new table as written
    for each statement execute function vitals.device_follow_info();
