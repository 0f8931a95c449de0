-- rejected_upload.claim
-- Purpose: take rejects for the running transaction, in the order of their numbers.
-- Parameters: $1 ids.
-- Locks: the rows that are given. One that another replay or a drop holds is left to it.
select
    rejected_upload_id, received_at, batch_id, source, device_sn, reason, detail, body, inherited::text as inherited,
    key_customer_id, times, last_received_at
from rejected_upload
where rejected_upload_id = any($1::bigint[])
order by rejected_upload_id
for update skip locked
