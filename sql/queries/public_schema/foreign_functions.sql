-- public_schema.foreign_functions
-- Purpose: functions and operators in schema public that belong neither to us nor to an extension, and that one of our calls could
-- resolve to, because they have the name of a function of PostgreSQL, of an extension or of ours. Any role that may create in schema
-- public can create them, and they run with the rights of the caller. `vitals migrate` also creates this query as the function
-- vitals.foreign_functions(). Run it with a search path of pg_catalog only.
-- Locks: none.
with trusted as (
    select r.oid from pg_roles as r where r.rolsuper
    union
    select coalesce((select c.relowner from pg_class as c where c.oid = to_regclass('public.health_data')), d.datdba)
    from pg_database as d where d.datname = current_database()
)
select format('%s %s', case p.prokind when 'p' then 'procedure' else 'function' end, p.oid::regprocedure) as name, r.rolname as owner
from pg_proc as p
join pg_roles as r on r.oid = p.proowner
where p.pronamespace = 'public'::regnamespace and p.proowner not in (select t.oid from trusted as t)
    and not exists (select from pg_depend as d where d.classid = 'pg_proc'::regclass and d.objid = p.oid and d.deptype = 'e')
    and exists (
        select from pg_proc as o
        where o.proname = p.proname and o.oid <> p.oid
            and o.pronamespace in ('pg_catalog'::regnamespace, 'public'::regnamespace)
            and o.proowner in (select t.oid from trusted as t)
    )
union all
select format('operator %s', o.oid::regoperator), r.rolname
from pg_operator as o
join pg_roles as r on r.oid = o.oprowner
where o.oprnamespace = 'public'::regnamespace and o.oprowner not in (select t.oid from trusted as t)
    and not exists (select from pg_depend as d where d.classid = 'pg_operator'::regclass and d.objid = o.oid and d.deptype = 'e')
order by 1
