-- Dashboards see nothing until they are bound. "All tenants" is a row of its own, and a binding knows which role of which
-- server it was made for.
-- Locks: vitals.dashboard_tenant whole, for a moment.

-- Rows of roles that were dropped. On another server their number may belong to somebody else.
delete from vitals.dashboard_tenant as t where not exists (select from pg_roles as r where r.oid = t.role_name);

alter table vitals.dashboard_tenant
    drop constraint dashboard_tenant_pkey,
    alter column customer_id drop not null,
    add column all_tenants boolean not null default false,
    add column bound_name name,
    add column bound_server bigint,
    add constraint dashboard_tenant_all_tenants_check check (all_tenants = (customer_id is null));
create unique index dashboard_tenant_key on vitals.dashboard_tenant (role_name, coalesce(customer_id, 0));

comment on table vitals.dashboard_tenant is 'Which tenants a role sees in schema dashboard, and all roles that are members of it. A role that is bound nowhere sees nothing.';
comment on column vitals.dashboard_tenant.customer_id  is 'Tenant it sees. Several rows: all of them. NULL: all_tenants is set.';
comment on column vitals.dashboard_tenant.all_tenants  is 'It sees every tenant, and devices that belong to none. No other row is needed then.';
comment on column vitals.dashboard_tenant.bound_name   is 'Name of the role when it was bound; written by a trigger. NULL: never, the trigger sees to it.';
comment on column vitals.dashboard_tenant.bound_server is 'System identifier of the server on which it was bound; written by a trigger. NULL: never, as above.';

-- Its body is in sql/functions/dashboard_tenants.sql.
create function vitals.dashboard_tenant_bound() returns trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    select r.rolname into strict new.bound_name from pg_roles as r where r.oid = new.role_name;
    select c.system_identifier into new.bound_server from pg_control_system() as c;
    return new;
end
$$;
create trigger dashboard_tenant_bound
    before insert or update on vitals.dashboard_tenant
    for each row execute function vitals.dashboard_tenant_bound();
update vitals.dashboard_tenant set role_name = role_name;
