-- migrate.requirements
-- Purpose: what the server or the role lacks for a migrate, one sentence per row; no rows: nothing is missing.
-- Locks: none.
with me as (
    select
        r.rolname as name, r.rolsuper, d.datname as database,
        has_database_privilege(d.oid, 'create') as creates_schemas,
        has_schema_privilege('public', 'create') as creates_in_public,
        (select n.nspowner from pg_namespace as n where n.nspname = 'vitals') as schema_owner,
        (select c.relowner from pg_class as c where c.oid = to_regclass('public.health_data')) as table_owner
    from pg_roles as r, pg_database as d
    where r.rolname = current_user and d.datname = current_database()
), extension as (
    select
        exists (select from pg_extension where extname = 'timescaledb') as is_created,
        exists (select from pg_available_extensions where name = 'timescaledb') as is_available,
        coalesce((select bool_or(v.trusted) from pg_available_extension_versions as v where v.name = 'timescaledb'), false) as is_trusted,
        -- This setting exists only if the library is loaded. Not every role may read shared_preload_libraries.
        current_setting('timescaledb.disable_load', true) is not null as is_loaded
)
select 'the extension timescaledb is not installed on the server; `docker/stack up` gives a server that has it' as missing
from extension where not is_available and not is_created
union all
select 'timescaledb is not named in shared_preload_libraries of the server; `docker/stack up` gives a server where it is'
from extension where (is_available or is_created) and not is_loaded
union all
select format('%I may not create the extension: have an administrator run `create extension timescaledb` in %I', name, database)
from me, extension where is_available and not is_created and not rolsuper and not (is_trusted and creates_schemas)
union all
select format('%I may not create schemas: have an administrator run `grant create on database %I to %I`', name, database, name)
from me where schema_owner is null and not creates_schemas
union all
select format('%I may not create tables in schema public: have an administrator run `grant create on schema public to %I`', name, name)
from me where not creates_in_public
union all
select format('schema vitals belongs to %I, and %I is not a member of it: migrate as that role', schema_owner::regrole, name)
from me where schema_owner is not null and not pg_has_role(current_user, schema_owner, 'usage')
union all
select format('the tables belong to %I, and %I is not a member of it: migrate as that role', table_owner::regrole, name)
from me where table_owner is not null and not pg_has_role(current_user, table_owner, 'usage')
