-- access_log.add
-- Purpose: records who looked at whose data.
-- Parameters, arrays of the same length: $1 accessed_at, $2 account_id, $3 key_id, $4 kiosk_link_id, $5 name, $6 role, $7 tenant and
-- $8 unit of the caller, $9 route, $10 device_sn, $11 user_id, $12 filter, $13 address.
-- Locks: none except the new rows.
insert into access_log (
    accessed_at, account_id, key_id, kiosk_link_id, name, role, within_customer_id, within_org_id, route, device_sn, user_id, filter, address
)
select
    accessed_at, account_id, key_id, kiosk_link_id, name, role, within_customer_id, within_org_id, route, device_sn, user_id, filter,
    address::inet
from unnest(
    $1::timestamptz[], $2::bigint[], $3::text[], $4::bigint[], $5::text[], $6::text[], $7::bigint[], $8::bigint[], $9::text[],
    $10::text[], $11::bigint[], $12::text[], $13::text[]
) as entry (
    accessed_at, account_id, key_id, kiosk_link_id, name, role, within_customer_id, within_org_id, route, device_sn, user_id, filter, address
)
