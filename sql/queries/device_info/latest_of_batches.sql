-- device_info.latest_of_batches
-- Purpose: the device information of every device that has a message in these batches, with the version of the read (see
-- health_data.newest_of_batches).
-- Parameters: $1 batch_ids, $2 and $3 time range of their rows (NULL: not known), $4 most devices.
-- Locks: none.
select d.device_sn, d.info_ts, d.customer_id, d.org_id, d.user_id, d.system_version, d.model, d.wifi_address,
       d.bluetooth_address, d.ip_address, d.network_mode, d.device_name, d.imei, d.battery_level, d.voltage, d.charging_status,
       d.wear_state, d.status,
       (select txid_snapshot_xmax(s) * 1000 - least(999, (select count(*) from txid_snapshot_xip(s)))
        from txid_current_snapshot() s) as read_version
from device d
where d.info_ts is not null
  and d.device_sn in (
      select device_sn
      from device_info
      where batch_id = any ($1)
        and batch_id between (select min(b) from unnest($1::bigint[]) as b) and (select max(b) from unnest($1::bigint[]) as b)
        and ts >= coalesce($2, '-infinity') and ts <= coalesce($3, 'infinity')
  )
limit $4
