-- device_key.revoke
-- Purpose: the keys of a device, or of all devices of a tenant, never work again, and no new ones are handed out.
-- Parameters: $1 serial (NULL: of a tenant), $2 tenant (NULL: of a device), $3 who does it.
-- Result: one row touched; none: it is revoked already.
-- Locks: none beyond the new row.
insert into device_key_revocation (device_sn, customer_id, revoked_by)
values ($1, $2, $3)
on conflict do nothing
