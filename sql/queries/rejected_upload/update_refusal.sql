-- rejected_upload.update_refusal
-- Purpose: updates the reason of rejects that a replay could not store.
-- Parameters, arrays of the same length: $1 ids, $2 device_sn (NULL: unreadable), $3 reason, $4 detail.
-- Locks: the rows.
update rejected_upload as kept
set device_sn = refused.device_sn, reason = refused.reason, detail = refused.detail
from unnest($1::bigint[], $2::text[], $3::text[], $4::text[])
    as refused (rejected_upload_id, device_sn, reason, detail)
where kept.rejected_upload_id = refused.rejected_upload_id
  and (kept.device_sn, kept.reason, kept.detail) is distinct from (refused.device_sn, refused.reason, refused.detail)
