-- roles.applied
-- Purpose: which of these roles have rights in this database. Roles belong to the whole server, so their existence alone proves nothing.
-- Parameters: $1 names.
-- Locks: none.
select distinct r.rolname::text as name
from pg_roles as r, pg_namespace as n, aclexplode(n.nspacl) as a
where r.rolname = any ($1::text[]) and n.nspname in ('vitals', 'dashboard') and a.grantee = r.oid
