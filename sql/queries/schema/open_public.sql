-- schema.open_public
-- Purpose: a row where everybody may create in schema public (a database upgraded from PostgreSQL 14): who owns the schema, and
-- whether we may end it.
-- Locks: none.
select n.nspowner::regrole::text as owner, pg_has_role(current_user, n.nspowner, 'usage') as is_ours
from pg_namespace as n, aclexplode(n.nspacl) as a
where n.nspname = 'public' and a.grantee = 0 and a.privilege_type = 'CREATE'
