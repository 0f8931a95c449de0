-- account.logged_in
-- Purpose: records a login; for an OIDC account also the present name of the person, unless another account has it.
-- Parameters: $1 account, $2 name (NULL: stays as it is).
-- Locks: the row.
update account as a
set logged_in_at = now(),
    name = case when $2::text is null or exists (select from account as o where o.name = $2 and o.account_id <> $1)
        then a.name else $2 end
where a.account_id = $1
