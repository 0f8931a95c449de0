-- public_schema.writable
-- Purpose: one row if every role may create in schema public (as in a database upgraded from PostgreSQL 14): the owner of the
-- schema, and whether the current role may revoke that right.
-- Locks: none.
select n.nspowner::regrole::text as owner, pg_has_role(current_user, n.nspowner, 'usage') as is_ours
from pg_namespace as n, aclexplode(n.nspacl) as a
where n.nspname = 'public' and a.grantee = 0 and a.privilege_type = 'CREATE'
