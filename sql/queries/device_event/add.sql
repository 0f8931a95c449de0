-- device_event.add
-- Purpose: stores events. An event that is already stored keeps its values, and its NULLs are filled.
-- Parameters, arrays of the same length, no key twice: $1 device_sn, $2 event_type, $3 ts, $4 received_at, $5 value,
-- $6 customer_id, $7 org_id, $8 user_id, $9 latitude, $10 longitude, $11 altitude, $12 action, $13 sent_ts.
-- Result: the keys of the new rows. A row that was filled keeps its batch_id, because rules evaluate an event once.
-- Locks: rows of device_event, in the order of the key.
with kept as (
    insert into device_event as known (
        device_sn, event_type, ts, received_at, severity, value, customer_id, org_id, user_id,
        latitude, longitude, altitude, action, sent_ts
    )
    select
        sent.device_sn, sent.event_type, sent.ts, sent.received_at, coalesce(event_type.severity, 'info'), sent.value,
        sent.customer_id, sent.org_id, sent.user_id, sent.latitude, sent.longitude, sent.altitude, sent.action, sent.sent_ts
    from unnest(
        $1::text[], $2::text[], $3::timestamptz[], $4::timestamptz[], $5::text[], $6::bigint[], $7::bigint[], $8::bigint[],
        $9::float8[], $10::float8[], $11::float8[], $12::text[], $13::text[]
    ) as sent (
        device_sn, event_type, ts, received_at, value, customer_id, org_id, user_id,
        latitude, longitude, altitude, action, sent_ts
    )
    left join event_type on event_type.event_type = sent.event_type
    order by sent.device_sn collate "C", sent.event_type collate "C", sent.ts
    on conflict (device_sn, event_type, ts) do update set
        value       = coalesce(known.value, excluded.value),
        customer_id = coalesce(known.customer_id, excluded.customer_id),
        org_id      = coalesce(known.org_id, excluded.org_id),
        user_id     = coalesce(known.user_id, excluded.user_id),
        latitude    = coalesce(known.latitude, excluded.latitude),
        longitude   = coalesce(known.longitude, excluded.longitude),
        altitude    = coalesce(known.altitude, excluded.altitude),
        action      = coalesce(known.action, excluded.action)
    where (known.value is null and excluded.value is not null)
       or (known.customer_id is null and excluded.customer_id is not null)
       or (known.org_id is null and excluded.org_id is not null)
       or (known.user_id is null and excluded.user_id is not null)
       or (known.latitude is null and excluded.latitude is not null)
       or (known.longitude is null and excluded.longitude is not null)
       or (known.altitude is null and excluded.altitude is not null)
       or (known.action is null and excluded.action is not null)
    -- xmax is 0 in a row that this statement inserted, and this transaction in a row that it updated.
    returning known.device_sn, known.event_type, known.ts, known.xmax = 0 as inserted
)
select device_sn, event_type, ts from kept where inserted
