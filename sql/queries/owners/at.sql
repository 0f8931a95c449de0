-- owners.at
-- Purpose: whom devices belonged to at an instant, for samples older than the binding of today.
-- Parameters: $1 serials, $2 instants, pair by pair, no pair twice.
-- Result: one row per pair; nobody has no ids.
-- Locks: none.
select o.device_sn, o.ts, o.user_id, o.org_id, nullif(o.customer_id, 0) as customer_id
from device_owner_at($1::text[], $2::timestamptz[]) o
