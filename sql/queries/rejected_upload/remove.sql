-- rejected_upload.remove
-- Purpose: rejects leave the table: stored after all in the running transaction, or dropped by an operator.
-- Parameters: $1 ids.
-- Locks: the rows.
delete from rejected_upload where rejected_upload_id = any($1::bigint[])
