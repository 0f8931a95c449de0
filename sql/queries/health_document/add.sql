-- health_document.add
-- Purpose: stores the parts of nested documents that have no rows of their own, each content once per device and kind.
-- Parameters, arrays of the same length: $1 device_sn, $2 ts, $3 kind, $4 reason, $5 detail (NULL: nothing is wrong), $6 body,
-- $7 customer, $8 org, $9 user, $10 received_at.
-- Locks: none except the new rows; their order avoids deadlocks with another instance.
insert into health_document (
    device_sn, ts, kind, reason, detail, body, customer_id, org_id, user_id, received_at
)
select *
from unnest(
    $1::text[], $2::timestamptz[], $3::text[], $4::text[], $5::text[], $6::text[], $7::bigint[], $8::bigint[],
    $9::bigint[], $10::timestamptz[]
) as sent (device_sn, ts, kind, reason, detail, body, customer_id, org_id, user_id, received_at)
order by device_sn collate "C", kind collate "C", md5(body)
on conflict (device_sn, kind, md5(body)) do nothing
