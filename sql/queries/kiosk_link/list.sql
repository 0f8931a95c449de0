-- kiosk_link.list
-- Purpose: kiosk links as JSON, the newest first, without the hashes of their tokens.
-- Parameters: $1 whether to include revoked and expired ones.
-- Locks: none.
select to_jsonb(k) - 'token_hash' || jsonb_build_object('tenant_name', nullif(c.name, ''), 'unit_name', nullif(o.name, '')) as link
from vitals.kiosk_link as k
left join customer as c on c.customer_id = k.customer_id
left join org_unit as o on o.org_id = k.org_id
where $1 or k.revoked_at is null and (k.expires_at > now() or k.expires_at is null)
order by k.created_at desc, k.kiosk_link_id desc
