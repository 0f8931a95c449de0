-- account_grant.add
-- Purpose: grants a role in a tenant or unit to an account. A grant that exists becomes one of `vitals people`.
-- Parameters: $1 login name, $2 role, $3 tenant (NULL: every one), $4 unit (NULL: none), $5 who grants it.
-- Result: the number of the grant; no row: there is no such account.
-- Locks: the row, if it exists.
insert into account_grant as g (account_id, role, customer_id, org_id, granted_by)
select account_id, $2, $3, $4, $5 from account where login = $1
on conflict (account_id, role, customer_id, org_id) do update set source = 'people', granted_by = excluded.granted_by
returning grant_id
