-- api_key.measure
-- Purpose: how many keys do at present.
-- Locks: none.
select count(*) as in_force
from api_key
where revoked_at is null and (expires_at > now() or expires_at is null)
