-- watch_log.add
-- Purpose: stores lines of the logs of watches; a line that is already stored stays as it is.
-- Parameters, arrays of the same length: $1 device_sn (NULL: unreadable), $2 ts, $3 level, $4 content, $5 customer_id; $6 when they
-- were received.
-- Locks: none except the new rows.
insert into watch_log (device_sn, ts, received_at, level, content, customer_id)
select device_sn, ts, $6, level, content, customer_id
from unnest($1::text[], $2::timestamptz[], $3::text[], $4::text[], $5::bigint[])
    as line (device_sn, ts, level, content, customer_id)
-- Always in this order, so that two uploads of the same lines cannot deadlock.
order by device_sn collate "C", ts, md5(content)
on conflict do nothing
