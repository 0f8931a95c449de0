-- account.list
-- Purpose: accounts as JSON, by login name, with their grants and without hashes of passwords.
-- Parameters: $1 whether to include disabled ones.
-- Locks: none.
select to_jsonb(a) || jsonb_build_object(
    'has_password', p.account_id is not null, 'grants', vitals.account_grants(a.account_id)
) as account
from account as a
left join vitals.account_password as p on p.account_id = a.account_id
where $1 or a.disabled_at is null
order by a.login
