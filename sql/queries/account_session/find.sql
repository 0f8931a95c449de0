-- account_session.find
-- Purpose: a session with its account and grants. Whether it is over is for the caller to decide, by the clock of the database.
-- Parameters: $1 SHA-256 of the token.
-- Result: no row: there is no such session, or its account is disabled.
-- Locks: none.
select s.session_id, s.account_id, s.grant_id, s.seen_at, s.ends_at, a.login, a.name, a.language,
    vitals.account_grants(a.account_id) as grants
from vitals.account_session as s
join account as a on a.account_id = s.account_id
where s.token_hash = $1 and a.disabled_at is null
