-- owners.at
-- Purpose: who owned devices at an instant, for samples older than the current binding.
-- Parameters: $1 serials and $2 instants, in pairs, no pair twice.
-- Result: one row per pair; the ids are NULL if nobody owned the device.
-- Locks: none.
select o.device_sn, o.ts, o.user_id, o.org_id, nullif(o.customer_id, 0) as customer_id
from device_owner_at($1::text[], $2::timestamptz[]) o
