-- api_key.measure
-- Purpose: the number of keys that are valid now.
-- Locks: none.
select count(*) as in_force
from api_key
where revoked_at is null and (expires_at > now() or expires_at is null)
