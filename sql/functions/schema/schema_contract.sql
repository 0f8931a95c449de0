-- The schema as a contract: functions, views and grants as they are, and what was changed since `vitals migrate` or
-- `vitals roles` recorded them.

-- Functions, views and grants as they are. Of schemas vitals and dashboard all of them; of schema public those that are named
-- here, since others may have objects of their own there. Functions that a refresh replaces are left out.
-- Parameters: none. Locks: none.
create or replace function vitals.schema_objects() returns table (kind text, name text, definition text)
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
    with named (name) as (
        select unnest(array[
            'apply_policies', 'bind_device', 'device_owner', 'device_owner_at', 'erase_device', 'erase_user',
            'health_by_day', 'refresh_rollups', 'request_refresh', 'exercise_week', 'sleep_night', 'sleep_week',
            'unknown_event_type', 'workout_named', 'health_15m', 'health_hourly', 'health_daily', 'health_weekly', 'health_monthly'
        ])
    ), spaces as (
        select n.oid, n.nspname from pg_namespace as n where n.nspname in ('public', 'vitals', 'dashboard')
    ), functions as (
        select p.oid, p.proacl, p.proowner, p.oid::regprocedure::text as name, pg_get_functiondef(p.oid) as definition
        from pg_proc as p
        join spaces as s on s.oid = p.pronamespace
        where p.prokind in ('f', 'p') and (s.nspname <> 'public' or p.proname in (select named.name from named))
            and not exists (select from vitals.rollup as r where p.proname = r.name || '_live_from')
            and not exists (select from pg_depend as d where d.classid = 'pg_proc'::regclass and d.objid = p.oid and d.deptype = 'e')
    ), relations as (
        select c.oid, c.relkind, c.relacl, c.relowner, s.nspname, c.relname, format('%I.%I', s.nspname, c.relname) as name
        from pg_class as c
        join spaces as s on s.oid = c.relnamespace
        where c.relkind in ('r', 'p', 'v', 'm')
            and not exists (select from pg_depend as d where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = 'e')
    ), granted (grantee, object, privilege) as (
        select a.grantee, 'function ' || f.name, a.privilege_type
        from functions as f, aclexplode(coalesce(f.proacl, acldefault('f', f.proowner))) as a
        union all
        select a.grantee, 'table ' || r.name, a.privilege_type from relations as r, aclexplode(r.relacl) as a
        union all
        select a.grantee, format('column %s.%I', r.name, t.attname), a.privilege_type
        from relations as r
        join pg_attribute as t on t.attrelid = r.oid and t.attacl is not null,
            aclexplode(t.attacl) as a
        union all
        select a.grantee, 'schema ' || n.nspname, a.privilege_type
        from pg_namespace as n
        join spaces as s on s.oid = n.oid,
            aclexplode(coalesce(n.nspacl, acldefault('n', n.nspowner))) as a
    )
    select 'function', f.name, encode(sha256(convert_to(f.definition, 'UTF8')), 'hex') from functions as f
    union all
    select 'view', r.name, encode(sha256(convert_to(pg_get_viewdef(r.oid), 'UTF8')), 'hex')
    from relations as r
    where r.relkind = 'v' and (r.nspname <> 'public' or r.relname in (select named.name from named))
    union all
    select 'grant', format('%s on %s', coalesce(g.rolname, 'public'), a.object), string_agg(a.privilege, ', ' order by a.privilege)
    from granted as a
    left join pg_roles as g on g.oid = a.grantee
    where a.grantee = 0 or g.rolname in ('vitals_service', 'vitals_administration', 'vitals_dashboard', 'vitals_dba')
    group by a.grantee, g.rolname, a.object
$$;
comment on function vitals.schema_objects() is 'Functions, views and grants of the schema as they are now.';

-- The differences from what was recorded. Functions and views that were added are left out; grants that were added are listed.
-- Definitions of views are compared on the same major version of PostgreSQL only.
-- Parameters: none. Locks: none.
create or replace function vitals.schema_changes() returns table (kind text, name text, change text)
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
    select
        kind, name,
        case
            when recorded.definition is null then 'added: ' || found.definition
            when found.definition is null then 'missing'
            when kind = 'grant' then format('%s instead of %s', found.definition, recorded.definition)
            else 'changed'
        end
    from vitals.schema_object as recorded
    full join vitals.schema_objects() as found using (kind, name)
    where recorded.definition is distinct from found.definition
        and (recorded.definition is not null or kind = 'grant')
        and (kind <> 'view' or found.definition is null or exists (
            select from vitals.schema_state as s where s.server_version = current_setting('server_version_num')::integer / 10000
        ))
    order by kind, name
$$;
comment on function vitals.schema_changes() is 'Functions, views and grants that were changed since they were recorded.';

-- Records them as they are, at the end of a migrate. The record of a view that this migrate did not create stays as it is: if somebody
-- changed the view by hand, it is reported until somebody restores it.
-- Parameters: SHA-256 of the texts of the program; its version; the newest migration that it has; the oldest program that works with the
-- schema, as its newest migration; whether migrations were applied. Locks: the recorded rows.
create or replace function vitals.record_schema(of_program text, of_version text, of_head integer, serves_from integer, migrated boolean)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    major constant integer := current_setting('server_version_num')::integer / 10000;
    is_known constant boolean := exists (select from vitals.schema_state where server_version = major);
begin
    delete from vitals.schema_object as o
    where migrated or not is_known or o.kind <> 'view' or starts_with(o.name, 'dashboard.');
    insert into vitals.schema_object (kind, name, definition)
    select f.kind, f.name, f.definition from vitals.schema_objects() as f
    on conflict (kind, name) do nothing;
    insert into vitals.schema_state (program_hash, program_version, head, oldest_program, server_version)
    values (of_program, of_version, of_head, serves_from, major)
    on conflict (only_row) do update
    set program_hash = excluded.program_hash, program_version = excluded.program_version, head = excluded.head,
        -- A file that contracts outside of a transaction may have begun.
        oldest_program = greatest(schema_state.oldest_program, excluded.oldest_program), server_version = excluded.server_version, applied_at = now(),
        applied_by = session_user;
end
$$;
comment on function vitals.record_schema(text, text, integer, integer, boolean) is 'Records functions, views and grants as they are.';

-- Records the grants as they are, after `vitals roles`.
-- Parameters: none. Locks: the recorded rows.
create or replace function vitals.record_grants() returns void
language sql
set search_path = pg_catalog, pg_temp
as $$
    delete from vitals.schema_object where kind = 'grant';
    insert into vitals.schema_object (kind, name, definition)
    select f.kind, f.name, f.definition from vitals.schema_objects() as f where f.kind = 'grant';
$$;
comment on function vitals.record_grants() is 'Records the grants as they are.';

-- Fails if other roles created functions in schema public that one of our calls could resolve to (the query is
-- sql/queries/public_schema/foreign_functions.sql). Functions that run as the owner call it before they call functions of an
-- extension there.
-- Parameters: none. Locks: none.
create or replace function vitals.refuse_foreign_functions() returns void
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    other record;
begin
    select * into other from vitals.foreign_functions() limit 1;
    if other is not null then
        raise exception '% of role % in schema public could be called in place of the intended one', other.name, other.owner
            using errcode = 'insufficient_privilege',
            hint = 'Drop it, and revoke create on schema public from public.';
    end if;
end
$$;
comment on function vitals.refuse_foreign_functions() is 'Fails if schema public contains functions of other roles that could be called in place of the intended ones.';
