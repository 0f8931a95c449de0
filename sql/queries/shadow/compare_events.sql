-- shadow.compare_events
-- Purpose: compares events with the rows of their keys.
-- Parameters, arrays of the same length: $1 device_sn, $2 event_type, $3 ts, $4 value, $5 latitude, $6 longitude, $7 altitude.
-- Result: how many events are stored as they are, have no row, have another value where they have one.
-- Locks: none.
select
    count(*) filter (where stored.device_sn is not null and not comparison.differs) as same,
    count(*) filter (where stored.device_sn is null) as missing,
    count(*) filter (where comparison.differs) as different
from unnest($1::text[], $2::text[], $3::timestamptz[], $4::text[], $5::float8[], $6::float8[], $7::float8[])
    as sent (device_sn, event_type, ts, value, latitude, longitude, altitude)
left join lateral (
    select kept.*
    from device_event as kept
    where kept.device_sn = sent.device_sn and kept.event_type = sent.event_type and kept.ts = sent.ts
) as stored on true
cross join lateral (
    select stored.device_sn is not null and (
        (sent.value is not null and sent.value is distinct from stored.value)
        or (sent.latitude is not null and sent.latitude is distinct from stored.latitude)
        or (sent.longitude is not null and sent.longitude is distinct from stored.longitude)
        or (sent.altitude is not null and sent.altitude is distinct from stored.altitude)
    ) as differs
) as comparison
