-- kiosk_link.find
-- Purpose: the kiosk link of a token, as JSON.
-- Parameters: $1 SHA-256 of the token.
-- Result: no row: there is none, or it was revoked.
-- Locks: none.
select to_jsonb(k) - 'token_hash' || jsonb_build_object('tenant_name', nullif(c.name, ''), 'unit_name', nullif(o.name, '')) as link
from vitals.kiosk_link as k
left join customer as c on c.customer_id = k.customer_id
left join org_unit as o on o.org_id = k.org_id
where k.token_hash = $1 and k.revoked_at is null
