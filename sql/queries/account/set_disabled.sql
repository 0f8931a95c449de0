-- account.set_disabled
-- Purpose: disables an account, which ends its sessions, or enables it.
-- Parameters: $1 login name, $2 whether it is disabled.
-- Result: no row: there is no such account.
-- Locks: the row.
update account
set disabled_at = case when $2 then coalesce(disabled_at, now()) end
where login = $1
returning account_id
