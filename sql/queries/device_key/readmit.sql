-- device_key.readmit
-- Purpose: new keys are issued to a device, or to the devices of a tenant, from now on. Older keys stay revoked.
-- Parameters: $1 serial (NULL: a tenant is given), $2 tenant (NULL: a device is given).
-- Result: one updated row; no row: it is not revoked.
-- Locks: the row.
update device_key_revocation
set readmitted_at = greatest(revoked_at, now())
where readmitted_at is null and (device_sn = $1::text or customer_id = $2::bigint)
