-- kiosk_link.add
-- Purpose: makes a kiosk link.
-- Parameters: $1 name, $2 SHA-256 of the token, $3 tenant, $4 unit (NULL: the whole tenant), $5 whether it is private, $6 who makes it,
-- $7 when it expires (NULL: never).
-- Locks: none except the new row.
insert into vitals.kiosk_link (name, token_hash, customer_id, org_id, is_private, created_by, expires_at)
values ($1, $2, $3, $4, $5, $6, $7)
