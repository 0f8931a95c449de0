-- api_key.add
-- Purpose: adds a key.
-- Parameters: $1 key_id, $2 name, $3 tenant (NULL: all tenants), $4 scopes, $5 SHA-256 of the secret, $6 who creates it, $7 when it
-- expires (NULL: never), $8 unit (NULL: none), $9 the person to whom it belongs (NULL: none), $10 whether it may vouch for others.
-- Locks: none except the new row.
insert into api_key (key_id, name, customer_id, scopes, secret_hash, created_by, expires_at, org_id, actor, may_vouch)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
