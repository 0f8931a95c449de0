-- What a program uses of the schema, one line each: functions with their results, columns with their types, grants of its role.
-- Only what both editions have.
select 'function' as kind, n.nspname::text as space, p.proname::text as name,
    format('function %s returns %s', p.oid::regprocedure, coalesce(pg_get_function_result(p.oid), 'nothing')) as line
from pg_proc as p
join pg_namespace as n on n.oid = p.pronamespace
where n.nspname in ('public', 'vitals', 'dashboard') and p.proname !~ '_live_from$'
    and not exists (select from pg_depend as d where d.classid = 'pg_proc'::regclass and d.objid = p.oid and d.deptype = 'e')
union all
select 'column', n.nspname, c.relname,
    format('column %I.%I.%I %s', n.nspname, c.relname, a.attname, format_type(a.atttypid, a.atttypmod))
from pg_class as c
join pg_namespace as n on n.oid = c.relnamespace
join pg_attribute as a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
where n.nspname in ('public', 'vitals', 'dashboard') and c.relkind in ('r', 'v')
    and c.relname !~ '_(materialised|materialized|decoded)$'
    and not exists (select from pg_depend as d where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = 'e')
union all
select 'grant', '', g.name, format('grant %s %s', privilege, g.name)
from vitals.schema_objects() as g, regexp_split_to_table(g.definition, ', ') as privilege
where g.kind = 'grant' and g.name like 'vitals\_service on %' and g.name !~ '_(materialised|materialized|decoded|live_from)(\(\))?$'
