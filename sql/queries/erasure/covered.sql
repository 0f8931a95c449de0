-- erasure.covered
-- Purpose: which of these records and rejects, which were received some time ago, an erasure covers that came after them. A record that names no
-- user is that of whoever wore the device at its time; a reject may name the subject in a text that could not be parsed.
-- Parameters, arrays of the same length: $1 device_sn, $2 user_id, $3 ts, $4 received_at, $5 text of a reject (NULL: it is none).
-- Result: their places in the arrays, from 1. Usually no erasure is under way, and an empty table is read.
-- Locks: none.
select distinct sent.place
from unnest($1::text[], $2::bigint[], $3::timestamptz[], $4::timestamptz[], $5::text[])
    with ordinality as sent (device_sn, user_id, ts, received_at, body, place)
join vitals.erased_span as span on span.erased_at >= sent.received_at and case
    when span.user_id is null then
        sent.device_sn = span.device_sn or sent.device_sn is null and position(to_json(span.device_sn)::text in sent.body) > 0
    when span.device_sn is null then
        sent.user_id = span.user_id or sent.body ~ ('"user_?[iI]d"\s*:\s*"?' || span.user_id || '\M')
    else
        sent.device_sn = span.device_sn and sent.user_id is null and sent.ts >= span.from_ts and sent.ts < span.to_ts
end
