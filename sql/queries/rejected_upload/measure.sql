-- rejected_upload.measure
-- Purpose: the number of rejects that match, the last of their numbers, and when the first and the last one were received.
-- Parameters, NULL for "any": $1 ids, $2 serials, $3 reasons, $4 sources, $5 received at or after, $6 received before.
-- Locks: none.
select count(*) as rejects, max(rejected_upload_id) as last_id, min(received_at) as oldest, max(received_at) as newest
from rejected_upload
where ($1::bigint[] is null or rejected_upload_id = any($1))
  and ($2::text[] is null or device_sn = any($2))
  and ($3::text[] is null or reason = any($3))
  and ($4::text[] is null or source = any($4))
  and ($5::timestamptz is null or received_at >= $5)
  and ($6::timestamptz is null or received_at < $6)
