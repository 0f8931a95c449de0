-- account.find
-- Purpose: what a login with a password needs to know.
-- Parameters: $1 login name.
-- Result: no row: there is no such account.
-- Locks: none.
select a.account_id, a.disabled_at is not null as is_disabled, p.password_hash,
    (select min(g.grant_id) from account_grant as g where g.account_id = a.account_id) as grant_id
from account as a
left join vitals.account_password as p on p.account_id = a.account_id
where a.login = $1
