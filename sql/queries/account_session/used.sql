-- account_session.used
-- Purpose: records that sessions were used just now; called at most once a minute for each.
-- Parameters: $1 sessions.
-- Locks: the rows.
update vitals.account_session
set seen_at = now()
where session_id = any ($1::bigint[])
