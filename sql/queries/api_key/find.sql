-- api_key.find
-- Purpose: what keys are held against, by their public parts.
-- Parameters: $1 key_ids, each once.
-- Result: a row for each that there is.
-- Locks: none.
select
    key_id, customer_id, scopes, secret_hash, expires_at, revoked_at,
    previous_hash, previous_until
from api_key
where key_id = any ($1::text[])
