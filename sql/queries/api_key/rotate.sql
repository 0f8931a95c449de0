-- api_key.rotate
-- Purpose: gives a key a new secret. The current secret works for a while longer; the one before it no longer works.
-- Parameters: $1 key_id, or the name of a key; $2 SHA-256 of the new secret, $3 until when the current secret works, $4 when the key
-- expires from now on (NULL: unchanged).
-- Result: the key as JSON; no row: there is no such key, or it is revoked.
-- Locks: the row.
update api_key as key
set
    previous_hash  = secret_hash,
    previous_until = $3,
    secret_hash    = $2,
    rotated_at     = now(),
    expires_at     = coalesce($4, expires_at)
where (key_id = $1 or name = $1) and revoked_at is null
returning to_jsonb(key) - '{secret_hash,previous_hash}'::text[] as key
