-- device_key.revocations
-- Purpose: per device or tenant: the number of its revocations, the number of the last one, and whether it is revoked now. In each row
-- either the device or the tenant is NULL.
-- Locks: none.
select device_sn, customer_id, count(*) as times, max(device_key_revocation_id) as newest, bool_or(readmitted_at is null) as is_in_force
from device_key_revocation
group by device_sn, customer_id
