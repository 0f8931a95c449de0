-- account_grant.revoke
-- Purpose: revokes grants of an account, which ends the sessions that use them.
-- Parameters: $1 login name, $2 numbers of the grants (NULL: all of them).
-- Result: the numbers of those that were revoked.
-- Locks: the rows, and those of the sessions.
delete from account_grant as g
using account as a
where a.login = $1 and g.account_id = a.account_id and ($2::bigint[] is null or g.grant_id = any ($2))
returning g.grant_id
