-- api_key.find
-- Purpose: the columns that a presented key is checked against, by key_id.
-- Parameters: $1 key_ids, each once.
-- Result: one row per key that exists.
-- Locks: none.
select
    key_id, customer_id, org_id, actor, may_vouch, scopes, secret_hash, expires_at, revoked_at,
    previous_hash, previous_until
from api_key
where key_id = any ($1::text[])
