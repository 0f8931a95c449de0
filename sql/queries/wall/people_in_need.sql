-- wall.people_in_need
-- Purpose: people whose watch is silent, nearly empty or not worn: those that have become silent within a day first, then by charge of the
-- battery, then those who do not wear it, then those that have been silent for longer.
-- Parameters: $1 charge below which a battery counts, percent; $2 most rows.
-- Reads: views dashboard.device and dashboard.latest, which show the tenant and the unit of the transaction; app_user for the room.
-- Locks: none.
-- Cost: one look-up by key per device.
with latest as materialized ( -- joined to every device, it would be read anew for each
    select device_sn, ts from dashboard.latest
)
select
    device.user_id, device.user_name, person.room, device.org_name, device.device_sn, device.battery_level, latest.ts as last_ts,
    state.is_silent, state.has_low_battery, count(*) over () as people
from dashboard.device as device
left join latest on latest.device_sn = device.device_sn
left join app_user as person on person.user_id = device.user_id
cross join lateral (
    select
        latest.ts is null or latest.ts < now() - interval '15 minutes' as is_silent,
        coalesce(device.battery_level < $1 and device.charging_status is distinct from 'CHARGING', false) as has_low_battery,
        coalesce(device.wear_state = '0', false) as is_not_worn
) as state
where device.user_id is not null
    and (state.is_silent or state.has_low_battery or state.is_not_worn)
order by
    state.is_silent and latest.ts > now() - interval '1 day' desc nulls last,
    case when state.has_low_battery and not state.is_silent then device.battery_level end,
    state.is_silent,
    latest.ts desc nulls last,
    device.device_sn
limit $2
