-- account.rehash
-- Purpose: replaces the hash of a password by one of the same password with other parameters. Sessions go on.
-- Parameters: $1 account, $2 the hash that was verified, $3 the new one.
-- Locks: the row.
update vitals.account_password
set password_hash = $3
where account_id = $1 and password_hash = $2
