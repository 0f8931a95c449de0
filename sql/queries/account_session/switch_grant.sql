-- account_session.switch_grant
-- Purpose: continues a session in another grant of its account, with a new token.
-- Parameters: $1 session, $2 SHA-256 of its token, $3 SHA-256 of the new one, $4 grant.
-- Result: no row: the session is gone, or the grant is not one of the account.
-- Locks: the row.
update vitals.account_session as s
set token_hash = $3, grant_id = g.grant_id, seen_at = now()
from account_grant as g
where s.session_id = $1 and s.token_hash = $2 and g.grant_id = $4 and g.account_id = s.account_id
returning s.session_id
