-- device_key.readmit
-- Purpose: new keys are handed out again to a device, or to the devices of a tenant. Those of before stay revoked.
-- Parameters: $1 serial (NULL: of a tenant), $2 tenant (NULL: of a device).
-- Result: one row touched; none: it is not revoked.
-- Locks: the row.
update device_key_revocation
set readmitted_at = greatest(revoked_at, now())
where readmitted_at is null and (device_sn = $1::text or customer_id = $2::bigint)
