-- Which tenants a session may see in schema dashboard. NULL: every tenant. An empty array: none.
-- Only the table vitals.dashboard_tenant gives access: a session sees the tenants that are bound both to the role that logged in and
-- to the role it has set; a role has its own tenants and those of all roles it is a member of. A role without a binding sees nothing.
-- The owner of the tables and superusers need no binding, because they can read and change everything anyway.
-- The setting vitals.tenant can only remove tenants. It has an effect in two ways:
--   * for one transaction, by dashboard.use_tenant(…): the value ends with the transaction, so a pooled connection cannot carry it
--     into the next one;
--   * for every session of a login, by "alter role … set vitals.tenant": read from the catalogue, whatever the session has set.
-- The setting vitals.unit can only remove rows: those of other organisation units. It has an effect for one transaction, by
-- dashboard.use_unit(…).
-- A value that was set in any other way may come from another user of the connection, so the views raise an error.
-- The functions are in PL/pgSQL: every query calls them, and a function in SQL with settings of its own is planned anew each time.

-- Records with a binding which role on which server it refers to.
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
comment on function vitals.dashboard_tenant_bound() is 'Row trigger: records which role on which server is bound.';

-- The tenants to which a role and the roles it is a member of are bound. NULL: all.
-- A binding refers to the oid of the role, so a renamed role stays bound, and a new role with an old name is not bound. On another
-- server (after a restore) the same oid is another role: there a binding is valid only if the name is the same too.
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
    with recursive granted (role_oid) as (
        select r.oid from pg_roles as r where r.rolname = bound_role
        union
        select m.roleid
        from granted
        join pg_auth_members as m on m.member = granted.role_oid
        -- The creator of a role may administer it without inheriting from it (PostgreSQL 16 and later distinguish the two).
        where coalesce((to_jsonb(m) ->> 'inherit_option')::boolean, true)
            or coalesce((to_jsonb(m) ->> 'set_option')::boolean, true)
    )
    select
        bool_or(coalesce(t.all_tenants, false) or r.oid = owner or r.rolsuper and r.rolname = bound_role),
        array_agg(distinct t.customer_id) filter (where t.customer_id is not null)
    into sees_all, bound
    from granted
    join pg_roles as r on r.oid = granted.role_oid
    left join vitals.dashboard_tenant as t on t.role_name = r.oid
        and (t.bound_server = server or t.bound_name = r.rolname);
    return case when sees_all then null else coalesce(bound, '{}') end;
end
$$;
comment on function vitals.bound_tenants(name) is 'Tenants to which a role is bound, directly or as a member of other roles. NULL: all.';

-- The value that "alter role … set vitals.tenant" (or "alter database") gave a login. NULL: none.
-- Parameter: name of the role. Locks: none.
create or replace function vitals.tenant_setting(login name) returns text
language plpgsql
stable
parallel safe
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    return (
        select nullif(substr(entry, length('vitals.tenant=') + 1), '')
        from pg_db_role_setting as s, unnest(s.setconfig) as entry
        where s.setdatabase in (0, (select d.oid from pg_database as d where d.datname = current_database()))
            and s.setrole in (0, (select r.oid from pg_roles as r where r.rolname = login))
            and starts_with(entry, 'vitals.tenant=')
        order by s.setrole <> 0 desc, s.setdatabase <> 0 desc
        limit 1
    );
end
$$;
comment on function vitals.tenant_setting(name) is 'Tenants to which "alter role … set vitals.tenant" restricts a login. NULL: no restriction.';

-- Restricts the transaction to these tenants: begin; select dashboard.use_tenant(42); select …; commit. Outside a transaction it
-- applies to its own statement only, as "set local" does. It never adds a tenant to those the role is bound to.
-- The value contains the start of the transaction; by it vitals.chosen_ids() knows that it was set in this transaction.
create or replace function dashboard.use_tenant(variadic tenants bigint[]) returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    perform set_config(
        'vitals.tenant',
        extract(epoch from transaction_timestamp())::text || '/' || array_to_string(tenants, ','),
        true
    );
end
$$;
comment on function dashboard.use_tenant(bigint[]) is 'Restricts the current transaction to these tenants in schema dashboard.';

-- What dashboard.use_tenant or dashboard.use_unit has chosen in this transaction. NULL: nothing. A value that was set in any other way is
-- refused, except for the one that the login has in every session.
-- Parameters: setting, its name; of_login, what "alter role" gave the login, or NULL; usage, how it is chosen. Locks: none.
create or replace function vitals.chosen_ids(setting text, of_login text, usage text) returns bigint[]
language plpgsql
stable
parallel safe
set search_path = pg_catalog, pg_temp
as $$
declare
    started_at constant text := extract(epoch from transaction_timestamp())::text || '/';
    chosen     constant text := nullif(current_setting(setting, true), '');
begin
    if starts_with(chosen, started_at) then
        return string_to_array(substr(chosen, length(started_at) + 1), ',')::bigint[];
    elsif chosen is not null and chosen is distinct from of_login then
        raise exception '% was set for the session, and another user of this connection may have set it', setting
            using errcode = 'object_not_in_prerequisite_state',
            hint = format('Reset %s, and choose in each transaction: begin; select %s; …; commit.', setting, usage);
    end if;
    return null;
end
$$;
comment on function vitals.chosen_ids(text, text, text) is 'Tenants or units that this transaction has chosen; NULL: it has chosen none.';

-- Parameter: current_user of the caller, passed by the views, because inside this function current_user is the owner. A false value
-- gives no further access: the tenants are also limited to those of the role that logged in. Locks: none.
create or replace function vitals.dashboard_tenants(acting name) returns bigint[]
language plpgsql
stable
parallel safe
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    login   constant text := vitals.tenant_setting(session_user);
    allowed bigint[] := vitals.narrowed_tenants(vitals.bound_tenants(session_user), string_to_array(login, ',')::bigint[]);
begin
    if acting <> session_user then
        allowed := vitals.narrowed_tenants(allowed, vitals.bound_tenants(acting));
    end if;
    return vitals.narrowed_tenants(allowed, vitals.chosen_ids('vitals.tenant', login, 'dashboard.use_tenant(42)'));
end
$$;
comment on function vitals.dashboard_tenants(name) is 'Tenants the session sees in schema dashboard; NULL: all.';

-- The tenants that are in both arrays. NULL: all tenants. Locks: none.
create or replace function vitals.narrowed_tenants(one bigint[], other bigint[]) returns bigint[]
language plpgsql
immutable
parallel safe
set search_path = pg_catalog, pg_temp
as $$
begin
    if one is null then
        return other;
    elsif other is null then
        return one;
    end if;
    return array(select unnest(one) intersect select unnest(other));
end
$$;
comment on function vitals.narrowed_tenants(bigint[], bigint[]) is 'Tenants that are in both arrays. NULL: all.';

-- Restricts the transaction to these organisation units and their sub-units: begin; select dashboard.use_tenant(42),
-- dashboard.use_unit(51); select …; commit. Outside a transaction it applies to its own statement only. It never adds anything: a
-- unit of another tenant shows nothing. Without a unit, nothing is seen.
-- The value contains the start of the transaction; by it vitals.chosen_ids() knows that it was set in this transaction.
create or replace function dashboard.use_unit(variadic units bigint[]) returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    perform set_config(
        'vitals.unit',
        extract(epoch from transaction_timestamp())::text || '/' || array_to_string(units, ','),
        true
    );
end
$$;
comment on function dashboard.use_unit(bigint[]) is 'Restricts the current transaction to these organisation units and their sub-units in schema dashboard.';

-- The units that the transaction is restricted to, with their sub-units. NULL: it is not restricted. Locks: none.
create or replace function vitals.dashboard_units() returns bigint[]
language plpgsql
stable
parallel safe
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    units constant bigint[] := vitals.chosen_ids('vitals.unit', null, 'dashboard.use_unit(51)');
begin
    return case when units is not null then
        units || array(select o.org_id from public.org_unit as o where o.ancestors && units)
    end;
end
$$;
comment on function vitals.dashboard_units() is 'Organisation units, with their sub-units, to which the transaction is restricted in schema dashboard; NULL: all.';
