-- api_key.revoke
-- Purpose: revokes a key. A key that was revoked before stays as it is.
-- Parameters: $1 key_id, or the name of a key that is not revoked.
-- Result: the key as JSON; no row: there is no such key.
-- Locks: the row.
update api_key as key
set revoked_at = coalesce(revoked_at, now())
where key_id = $1 or name = $1 and revoked_at is null
returning to_jsonb(key) - '{secret_hash,previous_hash}'::text[] as key
