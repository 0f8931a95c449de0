-- Which tenants a session may see in schema dashboard: NULL every tenant, else these.
-- What binds is vitals.dashboard_tenant alone: the tenants of the role that logged in, and those of the role it has set,
-- each with all roles it is a member of. The setting vitals.tenant, of a role or of the session, is anybody's to change, so
-- it only narrows; what is no number (or several, with commas) is an error, not everything.

-- The tenants a role and those it is a member of are bound to; NULL: they are bound to none.
-- Parameter: name of the role. Locks: none.
create or replace function vitals.bound_tenants(bound_role name) returns bigint[]
language plpgsql
stable
parallel safe
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    bound bigint[];
begin
    if not exists (select from vitals.dashboard_tenant) then
        return null;
    end if;
    with recursive held (role_oid) as (
        select r.oid from pg_roles as r where r.rolname = bound_role
        union
        select m.roleid
        from held
        join pg_auth_members as m on m.member = held.role_oid
        -- Who made a role may administer it without being of it (PostgreSQL 16 and later tell the two apart).
        where coalesce((to_jsonb(m) ->> 'inherit_option')::boolean, true)
            or coalesce((to_jsonb(m) ->> 'set_option')::boolean, true)
    )
    select array_agg(distinct t.customer_id) into bound
    from held
    join vitals.dashboard_tenant as t on t.role_name = held.role_oid;
    return bound;
end
$$;
comment on function vitals.bound_tenants(name) is 'Tenants a role is bound to, by itself or as a member of others; NULL: none, it sees everything.';

-- Parameter: current_user, which the views pass on, since in here that is the owner. A lie about it widens nothing: the role
-- that logged in counts besides. Locks: none.
create or replace function vitals.dashboard_tenants(acting name) returns bigint[]
language plpgsql
stable
parallel safe
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    asked   constant bigint[] := string_to_array(nullif(current_setting('vitals.tenant', true), ''), ',');
    allowed bigint[] := vitals.bound_tenants(session_user);
begin
    if acting <> session_user then
        allowed := vitals.narrowed_tenants(allowed, vitals.bound_tenants(acting));
    end if;
    return vitals.narrowed_tenants(allowed, asked);
end
$$;
comment on function vitals.dashboard_tenants(name) is 'Tenants the session sees in schema dashboard; NULL: all.';

-- What is in both; NULL stands for everything. Locks: none.
create or replace function vitals.narrowed_tenants(one bigint[], other bigint[]) returns bigint[]
language sql
immutable
parallel safe
set search_path = pg_catalog, pg_temp
as $$
    select case
        when one is null then other
        when other is null then one
        else array(select unnest(one) intersect select unnest(other))
    end
$$;
comment on function vitals.narrowed_tenants(bigint[], bigint[]) is 'Tenants that are in both; NULL: all.';
