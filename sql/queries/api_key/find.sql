-- api_key.find
-- Purpose: what a key is held against, by its public part.
-- Parameters: $1 key_id.
-- Result: a row, or none.
-- Locks: none.
select
    customer_id, scopes, secret_hash, expires_at, revoked_at,
    previous_hash, previous_until
from api_key
where key_id = $1
