-- The grants of an account, as JSON for the service and the command line.
-- Parameters: the account. Result: an array, in the order of their numbers; empty: none.
-- Locks: none.
create or replace function vitals.account_grants(of_account bigint) returns jsonb
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
    select coalesce(jsonb_agg(
        jsonb_build_object(
            'grant_id', g.grant_id, 'role', g.role, 'customer_id', g.customer_id, 'org_id', g.org_id,
            'tenant_name', nullif(c.name, ''), 'unit_name', nullif(o.name, '')
        ) order by g.grant_id
    ), '[]')
    from public.account_grant as g
    left join public.customer as c on c.customer_id = g.customer_id
    left join public.org_unit as o on o.org_id = g.org_id
    where g.account_id = of_account
$$;
comment on function vitals.account_grants(bigint) is 'The grants of an account with the names of tenants and units, as a JSON array.';
