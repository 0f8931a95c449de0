-- Everything of schemas public, vitals and dashboard that both editions share, one line each, in a fixed order.
with ours as (
    select c.oid, c.oid::regclass::text as name, c.relkind
    from pg_class c
    where c.relnamespace in ('public'::regnamespace, 'vitals'::regnamespace)
      and c.relkind = 'r'
      and c.relname <> 'refinery_schema_history'
      -- How an edition materialises a rollup is its own matter; what users see is described below.
      and c.relname !~ '_materialised$'
      and not exists (
          select from pg_depend d where d.objid = c.oid and d.deptype = 'e' and d.classid = 'pg_class'::regclass
      )
),
lines as (
    select name || ' 0' as place, format('table %s: %s', name, obj_description(oid, 'pg_class')) as line
    from ours
    union all
    select
        format('%s 1 %s', name, to_char(a.attnum, 'FM0000')),
        format('    %s %s%s%s: %s', a.attname, format_type(a.atttypid, a.atttypmod),
            case when a.attnotnull then ' not null' else '' end,
            coalesce(' default ' || pg_get_expr(d.adbin, d.adrelid), ''),
            col_description(ours.oid, a.attnum))
    from ours
    join pg_attribute a on a.attrelid = ours.oid and a.attnum > 0 and not a.attisdropped
    left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
    union all
    select format('%s 2 %s', name, conname), format('    constraint %s %s', conname, pg_get_constraintdef(k.oid))
    from ours
    join pg_constraint k on k.conrelid = ours.oid and k.contype <> 'n'
    union all
    select format('%s 3 %s', name, i.indexrelid::regclass), '    ' || pg_get_indexdef(i.indexrelid)
    from ours
    join pg_index i on i.indrelid = ours.oid
    where not exists (select from pg_constraint k where k.conindid = i.indexrelid)
    union all
    select format('%s 4 %s', name, tgname), '    ' || pg_get_triggerdef(t.oid)
    from ours
    join pg_trigger t on t.tgrelid = ours.oid and not t.tgisinternal
    where t.tgname !~ '^ts_'
      -- Only where TimescaleDB does not watch the table itself.
      and t.tgname not in ('health_data_rollup_update', 'health_data_rollup_delete')
    union all
    select
        format('%s 1 %s', c.oid::regclass, to_char(a.attnum, 'FM0000')),
        format('rollup %s.%s %s', c.oid::regclass, a.attname, format_type(a.atttypid, a.atttypmod))
    from pg_class c
    join pg_attribute a on a.attrelid = c.oid and a.attnum > 0
    where c.relkind = 'v' and c.relnamespace = 'public'::regnamespace and c.relname like 'health\_%'
    union all
    select
        format('%s 1 %s', c.oid::regclass, to_char(a.attnum, 'FM0000')),
        format('view %s.%s %s: %s', c.oid::regclass, a.attname, format_type(a.atttypid, a.atttypmod),
            col_description(c.oid, a.attnum))
    from pg_class c
    join pg_attribute a on a.attrelid = c.oid and a.attnum > 0
    where c.relkind = 'v'
      and c.relname !~ '_decoded$'
      and (
          c.relnamespace in ('vitals'::regnamespace, 'dashboard'::regnamespace)
          or c.relnamespace = 'public'::regnamespace and c.relname not like 'health\_%'
      )
      and not exists (
          select from pg_depend d where d.objid = c.oid and d.deptype = 'e' and d.classid = 'pg_class'::regclass
      )
    union all
    select
        format('zz %s', p.oid::regprocedure),
        format('%s %s', case p.prokind when 'p' then 'procedure' else 'function' end, p.oid::regprocedure)
    from pg_proc p
    where p.pronamespace in ('public'::regnamespace, 'vitals'::regnamespace, 'dashboard'::regnamespace)
      -- Made with a rollup, where vitals keeps it itself.
      and p.proname !~ '_live_from$'
      and not exists (
          select from pg_depend d where d.objid = p.oid and d.deptype = 'e' and d.classid = 'pg_proc'::regclass
      )
)
select line from lines order by place collate "C", line collate "C"
