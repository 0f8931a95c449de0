-- account_session.end_all
-- Purpose: ends all sessions of an account, in every instance.
-- Parameters: $1 login name.
-- Locks: the rows.
delete from vitals.account_session as s
using account as a
where a.login = $1 and s.account_id = a.account_id
