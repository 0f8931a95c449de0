-- rejected_upload.list
-- Purpose: rejects that match, newest first.
-- Parameters, NULL for "any": $1 ids, $2 serials, $3 reasons, $4 sources, $5 received at or after, $6 received before;
-- $7 most rows.
-- Locks: none.
select
    rejected_upload_id, received_at, batch_id, source, device_sn, reason, detail, body, inherited::text as inherited,
    key_customer_id, times, last_received_at
from rejected_upload
where ($1::bigint[] is null or rejected_upload_id = any($1))
  and ($2::text[] is null or device_sn = any($2))
  and ($3::text[] is null or reason = any($3))
  and ($4::text[] is null or source = any($4))
  and ($5::timestamptz is null or received_at >= $5)
  and ($6::timestamptz is null or received_at < $6)
order by received_at desc, rejected_upload_id desc
limit $7
