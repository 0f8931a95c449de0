-- account.set_password
-- Purpose: gives an account a password, which ends its sessions.
-- Parameters: $1 login name, $2 hash of the password.
-- Result: no row: there is no such account.
-- Locks: the row.
insert into vitals.account_password as p (account_id, password_hash)
select account_id, $2 from account where login = $1
on conflict (account_id) do update
set password_hash = excluded.password_hash, changed_at = now()
returning account_id
