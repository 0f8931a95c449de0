-- device_info.latest_of_devices
-- Purpose: the device information of a page of devices, for a rebuild of the Redis view.
-- Parameters: $1 the last serial of the previous page, $2 devices per page.
-- Locks: none.
select d.device_sn, d.info_ts, d.customer_id, d.org_id, d.user_id, d.system_version, d.model, d.wifi_address,
       d.bluetooth_address, d.ip_address, d.network_mode, d.device_name, d.imei, d.battery_level, d.voltage, d.charging_status,
       d.wear_state, d.status,
       (select txid_snapshot_xmax(s) * 1000 - least(999, (select count(*) from txid_snapshot_xip(s)))
        from txid_current_snapshot() s) as read_version
from device d
where d.device_sn > $1 and d.info_ts is not null
order by d.device_sn
limit $2
