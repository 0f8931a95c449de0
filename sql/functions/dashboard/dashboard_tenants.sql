-- Which tenants a session may see in schema dashboard: NULL every tenant, else these; an empty array, none.
-- What binds is vitals.dashboard_tenant alone: the tenants of the role that logged in, and those of the role it has set,
-- each with all roles it is a member of. Who is bound nowhere sees nothing; only the owner of the tables and superusers,
-- who can read and change everything, are not asked.
-- The setting vitals.tenant only narrows. It counts in two ways:
--   * for one transaction, by dashboard.use_tenant(…): it ends with the transaction, so a pooled connection cannot carry it
--     to the next one;
--   * for a login as a whole, by "alter role … set vitals.tenant": read from the catalogue, whatever the session has set.
-- A value that a session has set in any other way may be a leftover of somebody else, so the views refuse to answer.

-- Keeps with a binding which role of which server is meant.
create or replace function vitals.dashboard_tenant_bound() returns trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    select r.rolname into new.bound_name from pg_roles as r where r.oid = new.role_name;
    if not found then
        raise exception 'there is no role %', new.role_name using errcode = 'undefined_object';
    end if;
    select c.system_identifier into new.bound_server from pg_control_system() as c;
    return new;
end
$$;
comment on function vitals.dashboard_tenant_bound() is 'Row trigger: notes which role of which server is bound.';

-- The tenants a role and those it is a member of are bound to; NULL: all.
-- A binding counts by the number of the role, so that a renamed role stays bound and a new role of an old name is not. On
-- another server (restored there) numbers mean other roles: there it counts only while the name is the same, too.
-- Parameter: name of the role. Locks: none.
create or replace function vitals.bound_tenants(bound_role name) returns bigint[]
language plpgsql
stable
parallel safe
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    owner   constant oid := (select c.relowner from pg_class as c where c.oid = 'vitals.dashboard_tenant'::regclass);
    server  constant bigint := (select c.system_identifier from pg_control_system() as c);
    sees_all boolean;
    bound    bigint[];
begin
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
    select
        bool_or(coalesce(t.all_tenants, false) or r.oid = owner or r.rolsuper and r.rolname = bound_role),
        array_agg(distinct t.customer_id) filter (where t.customer_id is not null)
    into sees_all, bound
    from held
    join pg_roles as r on r.oid = held.role_oid
    left join vitals.dashboard_tenant as t on t.role_name = r.oid
        and (t.bound_server = server or t.bound_name = r.rolname);
    return case when sees_all then null else coalesce(bound, '{}') end;
end
$$;
comment on function vitals.bound_tenants(name) is 'Tenants a role is bound to, by itself or as a member of others; NULL: all.';

-- What "alter role … set vitals.tenant" (or "alter database") says of a login; NULL: nothing.
-- Parameter: name of the role. Locks: none.
create or replace function vitals.tenant_setting(login name) returns text
language sql
stable
parallel safe
security definer
set search_path = pg_catalog, pg_temp
as $$
    select nullif(substr(entry, length('vitals.tenant=') + 1), '')
    from pg_db_role_setting as s, unnest(s.setconfig) as entry
    where s.setdatabase in (0, (select d.oid from pg_database as d where d.datname = current_database()))
        and s.setrole in (0, (select r.oid from pg_roles as r where r.rolname = login))
        and starts_with(entry, 'vitals.tenant=')
    order by s.setrole <> 0 desc, s.setdatabase <> 0 desc
    limit 1
$$;
comment on function vitals.tenant_setting(name) is 'Tenants a login is narrowed to by "alter role … set vitals.tenant"; NULL: none.';

-- Narrows the transaction to these tenants: begin; select dashboard.use_tenant(42); select …; commit. Outside a transaction it
-- holds for its own statement only, as "set local" does. It never widens: what the role is not bound to stays unseen.
-- The value carries the start of the transaction, by which vitals.dashboard_tenants() knows that it was made in this one.
create or replace function dashboard.use_tenant(variadic tenants bigint[]) returns void
language sql
volatile
set search_path = pg_catalog, pg_temp
as $$
    select set_config(
        'vitals.tenant',
        extract(epoch from transaction_timestamp())::text || '/' || array_to_string(tenants, ','),
        true
    )
$$;
comment on function dashboard.use_tenant(bigint[]) is 'Narrows what the current transaction sees in schema dashboard to these tenants.';

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
    begun   constant text := extract(epoch from transaction_timestamp())::text || '/';
    chosen  constant text := nullif(current_setting('vitals.tenant', true), '');
    login   constant text := vitals.tenant_setting(session_user);
    allowed bigint[] := vitals.narrowed_tenants(vitals.bound_tenants(session_user), string_to_array(login, ',')::bigint[]);
begin
    if acting <> session_user then
        allowed := vitals.narrowed_tenants(allowed, vitals.bound_tenants(acting));
    end if;
    if starts_with(chosen, begun) then
        allowed := vitals.narrowed_tenants(allowed, string_to_array(substr(chosen, length(begun) + 1), ',')::bigint[]);
    elsif chosen <> login or chosen is not null and login is null then
        raise exception 'vitals.tenant was set for the session, where it may be a leftover of somebody else'
            using errcode = 'object_not_in_prerequisite_state',
            hint = 'reset vitals.tenant, and say in each transaction: begin; select dashboard.use_tenant(42); …; commit. '
                'For all sessions of a login: alter role … set vitals.tenant = ''42''.';
    end if;
    return allowed;
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
