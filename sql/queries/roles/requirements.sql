-- roles.requirements
-- Purpose: what is missing to apply the roles, one sentence per row; no rows: nothing is missing.
-- Parameters: $1 their names.
-- Locks: none.
select format(
    '%I may not create roles: have an administrator run `create role %I nologin`, then run `vitals roles` again',
    current_user, needed.name
) as missing
from unnest($1::text[]) as needed (name)
where not exists (select from pg_roles as r where r.rolname = needed.name)
    and not exists (select from pg_roles as r where r.rolname = current_user and (r.rolcreaterole or r.rolsuper))
union all
select format('the tables belong to %I, and %I is not a member of it: apply the roles as that role', c.relowner::regrole, current_user)
from pg_class as c
where c.oid = to_regclass('public.health_data') and not pg_has_role(current_user, c.relowner, 'usage')
