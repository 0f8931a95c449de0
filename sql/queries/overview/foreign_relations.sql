-- overview.foreign_relations
-- Purpose: some relations of a database that has none of this program, so it is used for something else. No rows if it has ours.
-- Locks: none.
select format('%s.%s', n.nspname, c.relname) as relation
from pg_class c
join pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('r', 'p', 'f', 'v', 'm')
  and to_regclass('vitals.ingest_batch') is null
  and n.nspname <> 'information_schema' and n.nspname !~ '^pg_'
  and n.nspname !~ '^_?timescaledb'
  and not exists (select from pg_depend d where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = 'e')
order by 1
limit 5
