-- account_session.add
-- Purpose: opens a session, and removes those of the account that are over.
-- Parameters: $1 SHA-256 of the token, $2 account, $3 grant, $4 seconds until it ends, $5 address, $6 what the browser calls itself
-- (NULL: nothing), $7 SHA-256 of the token that the browser had before (NULL: none): that session ends.
-- Result: no row: the account or the grant is gone or disabled.
-- Locks: none except the new row and those that are removed.
with over as (
    delete from vitals.account_session as s
    where s.account_id = $2 and s.ends_at <= now() or s.token_hash = $7
)
insert into vitals.account_session (token_hash, account_id, grant_id, ends_at, address, user_agent)
select $1, g.account_id, g.grant_id, now() + make_interval(secs => $4), $5::text::inet, $6
from account_grant as g
join account as a on a.account_id = g.account_id
where g.grant_id = $3 and g.account_id = $2 and a.disabled_at is null
returning session_id
