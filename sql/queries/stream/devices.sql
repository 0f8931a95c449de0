-- stream.devices
-- Purpose: the state of devices as JSON, with the tenant and the units that see them: the unit of the wearer and those above it.
--   $1 serials
-- online: it sent a sample within the last quarter hour.
-- Locks: none.
select
    d.device_sn, d.customer_id, array_remove(coalesce(u.ancestors, '{}') || d.org_id, null) as org_ids,
    jsonb_strip_nulls(jsonb_build_object(
        'device_sn', d.device_sn, 'user_id', d.user_id::text, 'user_name', d.user_name, 'org_id', d.org_id::text,
        'org_name', d.org_name, 'customer_id', d.customer_id::text, 'battery_level', d.battery_level,
        'charging_status', d.charging_status, 'wear_state', d.wear_state, 'info_ts', d.info_ts,
        'online', exists (
            select from health_data as h where h.device_sn = d.device_sn and h.ts > now() - interval '15 minutes'
        )
    )) as row
from unnest($1::text[]) as changed (device_sn)
-- As in stream.latest.
cross join lateral (select * from dashboard.device as one where one.device_sn = changed.device_sn offset 0) as d
left join org_unit as u on u.org_id = d.org_id
