-- api_key.list
-- Purpose: keys as JSON, newest first, without hashes of their secrets.
-- Parameters: $1 whether to include revoked and expired keys.
-- Locks: none.
select to_jsonb(key) - '{secret_hash,previous_hash}'::text[] as key
from api_key key
where $1 or revoked_at is null and (expires_at > now() or expires_at is null)
order by created_at desc, key_id
