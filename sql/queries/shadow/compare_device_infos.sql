-- shadow.compare_device_infos
-- Purpose: compares device information with the rows of their keys.
-- Parameters, arrays of the same length: $1 device_sn, $2 ts, $3 system_version, $4 battery_level, $5 voltage, $6 charging_status,
-- $7 wear_state, $8 status.
-- Result: how many messages are stored as they are, have no row, have another value where they have one.
-- Locks: none.
select
    count(*) filter (where stored.device_sn is not null and not comparison.differs) as same,
    count(*) filter (where stored.device_sn is null) as missing,
    count(*) filter (where comparison.differs) as different
from unnest($1::text[], $2::timestamptz[], $3::text[], $4::smallint[], $5::integer[], $6::text[], $7::text[], $8::text[])
    as sent (device_sn, ts, system_version, battery_level, voltage, charging_status, wear_state, status)
left join lateral (
    select kept.*
    from device_info as kept
    where kept.device_sn = sent.device_sn and kept.ts = sent.ts
) as stored on true
cross join lateral (
    select stored.device_sn is not null and (
        (sent.system_version is not null and sent.system_version is distinct from stored.system_version)
        or (sent.battery_level is not null and sent.battery_level is distinct from stored.battery_level)
        or (sent.voltage is not null and sent.voltage is distinct from stored.voltage)
        or (sent.charging_status is not null and sent.charging_status is distinct from stored.charging_status)
        or (sent.wear_state is not null and sent.wear_state is distinct from stored.wear_state)
        or (sent.status is not null and sent.status is distinct from stored.status)
    ) as differs
) as comparison
