-- device_key.revoke
-- Purpose: revokes the keys of a device, or of all devices of a tenant, for good; no new keys are issued.
-- Parameters: $1 serial (NULL: a tenant is given), $2 tenant (NULL: a device is given), $3 who revokes.
-- Result: one inserted row; no row: it is already revoked.
-- Locks: none except the new row.
insert into device_key_revocation (device_sn, customer_id, revoked_by)
values ($1, $2, $3)
on conflict do nothing
