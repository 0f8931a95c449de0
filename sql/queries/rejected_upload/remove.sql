-- rejected_upload.remove
-- Purpose: deletes rejects that the running transaction has stored as records, or that an operator drops.
-- Parameters: $1 ids.
-- Locks: the rows.
delete from rejected_upload where rejected_upload_id = any($1::bigint[])
