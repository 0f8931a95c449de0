-- health_document.add
-- Purpose: keep the nested documents of samples, each content once per device and kind.
-- Parameters, arrays of one length: $1 device_sn, $2 ts, $3 kind, $4 body, $5 received_at.
-- Locks: none beyond the new rows; the order avoids deadlocks with another instance.
insert into health_document (device_sn, ts, kind, body, received_at)
select device_sn, ts, kind, body, received_at
from unnest($1::text[], $2::timestamptz[], $3::text[], $4::text[], $5::timestamptz[])
    as document (device_sn, ts, kind, body, received_at)
order by device_sn, kind, md5(body)
on conflict (device_sn, kind, md5(body)) do nothing
