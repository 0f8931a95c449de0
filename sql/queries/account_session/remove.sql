-- account_session.remove
-- Purpose: ends a session.
-- Parameters: $1 SHA-256 of the token.
-- Locks: the row.
delete from vitals.account_session
where token_hash = $1
