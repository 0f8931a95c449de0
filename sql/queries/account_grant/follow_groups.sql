-- account_grant.follow_groups
-- Purpose: makes the grants of an account that come from its OIDC provider those of the groups that the provider reports now. Grants of
-- `vitals people` stay; sessions that use a grant that is gone end.
-- Parameters: $1 account, $2 issuer; arrays of the same length: $3 roles, $4 tenants (NULL: every one), $5 units (NULL: none).
-- Result: the number of the lowest grant that the account has then; NULL: none.
-- Locks: the rows that change.
with wanted as (
    select distinct role, customer_id, org_id
    from unnest($3::text[], $4::bigint[], $5::bigint[]) as w (role, customer_id, org_id)
), gone as (
    delete from account_grant as g
    where g.account_id = $1 and g.source = 'oidc' and not exists (
        select from wanted as w
        where w.role = g.role and w.customer_id is not distinct from g.customer_id and w.org_id is not distinct from g.org_id
    )
    returning g.grant_id
), added as (
    insert into account_grant (account_id, role, customer_id, org_id, source, granted_by)
    select $1, role, customer_id, org_id, 'oidc', $2 from wanted
    on conflict (account_id, role, customer_id, org_id) do nothing
    returning grant_id
)
select min(grant_id) as grant_id
from (
    select g.grant_id from account_grant as g where g.account_id = $1 and g.grant_id not in (select grant_id from gone)
    union all
    select grant_id from added
) as present
