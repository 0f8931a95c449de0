-- device_key.list
-- Purpose: revocations of device keys as JSON, newest first.
-- Parameters: $1 whether to include ended ones.
-- Locks: none.
select to_jsonb(revocation) as revocation
from device_key_revocation revocation
where $1 or readmitted_at is null
order by device_key_revocation_id desc
