-- rejected_upload.claim
-- Purpose: locks rejects for the running transaction, in the order of their numbers.
-- Parameters: $1 ids.
-- Locks: the returned rows. A row that another replay or drop has locked is skipped.
select
    rejected_upload_id, received_at, batch_id, source, device_sn, reason, detail, body, inherited::text as inherited,
    key_customer_id, times, last_received_at
from rejected_upload
where rejected_upload_id = any($1::bigint[])
order by rejected_upload_id
for update skip locked
