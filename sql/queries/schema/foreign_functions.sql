-- schema.foreign_functions
-- Purpose: functions and operators in schema public that are neither ours nor an extension's, and that a call of ours could find
-- instead of the one it means: of the name of a function of PostgreSQL, of an extension or of ours. Whoever may create in schema
-- public can make them, and whoever calls runs them with his own rights. `vitals migrate` makes a function of it, too,
-- vitals.foreign_functions(). To be run with pg_catalog alone in the search path.
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
