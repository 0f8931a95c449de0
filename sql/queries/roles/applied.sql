-- roles.applied
-- Purpose: which of these roles were applied to this database before. Roles are of the server, so their being there says nothing.
-- Parameters: $1 names.
-- Locks: none.
select distinct r.rolname::text as name
from pg_roles as r, pg_namespace as n, aclexplode(n.nspacl) as a
where r.rolname = any ($1::text[]) and n.nspname in ('vitals', 'dashboard') and a.grantee = r.oid
