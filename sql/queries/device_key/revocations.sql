-- device_key.revocations
-- Purpose: how often devices and tenants were revoked, the number of the last time, and whether they are at present. One column
-- of each row is NULL.
-- Locks: none.
select device_sn, customer_id, count(*) as times, max(device_key_revocation_id) as newest, bool_or(readmitted_at is null) as is_in_force
from device_key_revocation
group by device_sn, customer_id
