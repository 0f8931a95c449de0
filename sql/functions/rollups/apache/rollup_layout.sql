-- How the Apache edition stores the buckets of a rollup. The table vitals.<name>_materialised has the values that cannot be computed, in
-- the narrowest types. The view vitals.<name>_decoded shows the columns of the rollup: the same names, order, types, values and scales.
-- Most buckets contain one or two samples, so most of their columns follow from a few stored values:
--   samples    an integer for quarter hours, which have fewer microseconds than an integer has values; a bigint for longer buckets
--   first_ts   stored as first_us, microseconds after the start of the bucket, if that fits an integer; last_ts likewise. NULL: as first_ts
--   _max       NULL: as _min
--   _count     NULL: every sample of the bucket has a reading, or, where _min is NULL too, none has.
--              -1: the bucket was computed before the vital sign was added, so the rollup shows NULL
--   _sum       NULL: the sum of _min, or of _min and _max, with one or two readings. Otherwise a numeric, which never overflows and takes 5 bytes
--   _avg       not stored: sum / count, the same division as in avg()
-- Numerics are compared as text, because 36.5 and 36.50 are equal but have different scales.
-- The index is on the device only. A chunk has at most 168 buckets of a device, and equal keys share an index entry, so the index takes
-- 7 bytes per bucket; an index on (device_sn, bucket) takes 60. The lock of a refresh guarantees that each bucket has one row.

-- The stored column of each column that a rollup shows (stored_name NULL: none), and the expressions that convert: encode from a shown
-- row c, decode from a stored row m. The rows are in the order of the shown columns.
-- Parameters: a relation with the shown columns, and the width of a bucket. Locks: none.
-- The function is in plpgsql because that caches the plan: each step of a refresh calls it.
create or replace function vitals.rollup_layout(shape regclass, width interval)
returns table (
    name text, place integer, stored_name text, stored_type text, bytes integer, required boolean, encode text, decode text
)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
begin
    return query
    with facts as (
        select extract(epoch from rollup_layout.width) * 1000000 < 2147483648 as is_short
    ), shown as (
        select
            a.attname::text as name, a.attnum::integer as place, format_type(a.atttypid, a.atttypmod) as type,
            case when a.attcollation not in (0, 'pg_catalog."default"'::regcollation) then a.attcollation::regcollation end as collation,
            t.typlen::integer as bytes, split.vital, split.kind
        from pg_attribute as a
        join pg_type as t on t.oid = a.atttypid
        left join lateral (
            select parts[1] as vital, parts[2] as kind
            from regexp_match(a.attname, '^(.*)_(min|max|sum|count|avg)$') as parts
            where exists (
                select from pg_attribute as v where v.attrelid = shape and v.attname = parts[1] || '_avg' and not v.attisdropped
            )
        ) as split on true
        where a.attrelid = shape and a.attnum > 0 and not a.attisdropped
    ), vitals as (
        -- wide: a type that can hold the sum of readings without overflow.
        select
            m.vital, case m.type when 'numeric' then 'numeric' else 'bigint' end as wide,
            format(
                'case when m.%1$I is null then nullif(coalesce(m.%2$I, 0), -1) else coalesce(m.%2$I, m.samples) end',
                m.name, m.vital || '_count'
            ) as counted,
            format('coalesce(m.%1$I, m.%2$I)', m.vital || '_max', m.name) as highest
        from shown as m where m.kind = 'min'
    ), summed as (
        select
            v.*,
            format(
                'coalesce(m.%1$I::%3$s, case coalesce(m.%2$I, m.samples) when 1 then m.%4$I::%3$s else m.%4$I::%3$s + %5$s::%3$s end)',
                v.vital || '_sum', v.vital || '_count', v.wide, v.vital || '_min', v.highest
            ) as total
        from vitals as v
    )
    select
        s.name, s.place,
        case
            when s.kind = 'avg' then null
            when f.is_short and s.name in ('first_ts', 'last_ts') then replace(s.name, '_ts', '_us')
            else s.name
        end,
        case
            when s.name = 'samples' or s.kind = 'count' then n.counted
            when f.is_short and s.name in ('first_ts', 'last_ts') then 'integer'
            when s.kind = 'sum' then 'numeric'
            else s.type || coalesce(' collate ' || s.collation, '')
        end,
        case
            when s.name = 'samples' or s.kind = 'count' or f.is_short and s.name in ('first_ts', 'last_ts') then n.bytes
            when s.kind = 'sum' then -1
            else s.bytes
        end,
        s.name in ('device_sn', 'bucket', 'samples', 'first_ts'),
        case
            when s.name = 'first_ts' and f.is_short then '(extract(epoch from c.first_ts - c.bucket) * 1000000)::integer'
            when s.name = 'last_ts' then case
                when f.is_short then '(extract(epoch from nullif(c.last_ts, c.first_ts) - c.bucket) * 1000000)::integer'
                else 'nullif(c.last_ts, c.first_ts)'
            end
            when s.kind = 'max' then format(
                'case when c.%1$I::text is distinct from c.%2$I::text then c.%1$I end', s.name, s.vital || '_min'
            )
            when s.kind = 'count' then format(
                'case when c.%2$I is null then nullif(coalesce(c.%1$I, -1), 0) else nullif(c.%1$I, c.samples) end',
                s.name, s.vital || '_min'
            )
            when s.kind = 'sum' then format(
                'case when c.%1$I::text is distinct from '
                '(case c.%2$I when 1 then c.%3$I::%5$s when 2 then c.%3$I::%5$s + c.%4$I::%5$s end)::text then c.%1$I end',
                s.name, s.vital || '_count', s.vital || '_min', s.vital || '_max', v.wide
            )
            when s.kind = 'avg' then null
            else format('c.%I', s.name)
        end,
        case
            when s.name = 'samples' then 'm.samples::bigint'
            when s.name = 'first_ts' and f.is_short then 'm.bucket + m.first_us * interval ''1 microsecond'''
            when s.name = 'last_ts' then case
                when f.is_short then 'm.bucket + coalesce(m.last_us, m.first_us) * interval ''1 microsecond'''
                else 'coalesce(m.last_ts, m.first_ts)'
            end
            when s.kind = 'max' then v.highest
            when s.kind = 'count' then format('(%s)::bigint', v.counted)
            when s.kind = 'sum' then v.total
            when s.kind = 'avg' then format('%s::numeric / (%s)::numeric', v.total, v.counted)
            else format('m.%I', s.name)
        end
    from shown as s
    cross join facts as f
    cross join lateral (
        select case when f.is_short then 'integer' else 'bigint' end as counted, case when f.is_short then 4 else 8 end as bytes
    ) as n
    left join summed as v on v.vital = s.vital
    order by s.place;
end
$$;
comment on function vitals.rollup_layout(regclass, interval) is 'The stored column of each column of a rollup, and the expressions that convert between them.';

-- Creates or replaces the view that decodes the table of a rollup.
-- Parameters: the rollup, the name of the table, a relation with the shown columns, the width of a bucket. Locks: the view.
create or replace function vitals.show_materialised(rollup_name text, materialised text, shape regclass, width interval) returns void
language plpgsql
set search_path = pg_catalog, public, pg_temp
as $$
begin
    execute (
        select format(
            'create or replace view vitals.%I as select %s from vitals.%I as m', rollup_name || '_decoded',
            string_agg(format('%s as %I', l.decode, l.name), ', ' order by l.place), materialised
        )
        from vitals.rollup_layout(shape, width) as l
    );
    execute format(
        'comment on view vitals.%I is %L', rollup_name || '_decoded', rollup_name || ': the buckets before its watermark, decoded.'
    );
end
$$;
comment on function vitals.show_materialised(text, text, regclass, interval) is 'Creates or replaces the view that decodes the table of a rollup.';

-- Creates the table of a rollup and the view that decodes it.
-- Parameters: the rollup, the name of the table, a relation with the shown columns, the width of a bucket, the interval of the chunks.
-- Locks: new relations.
create or replace function vitals.create_rollup_table(
    rollup_name text, materialised text, shape regclass, width interval, chunk interval
) returns void
language plpgsql
set search_path = pg_catalog, public, pg_temp
as $$
begin
    -- Wide fixed-size types come first, so no padding is needed for alignment.
    execute (
        select format('create table vitals.%I (%s)', materialised, string_agg(
            format('%I %s%s', l.stored_name, l.stored_type, case when l.required then ' not null' end), ', '
            order by l.bytes desc, l.required desc, l.place
        ))
        from vitals.rollup_layout(shape, width) as l where l.stored_name is not null
    );
    execute format('create index %I on vitals.%I (device_sn)', rollup_name || '_device_sn_idx', materialised);
    perform create_hypertable(
        format('vitals.%I', materialised)::regclass, 'bucket', chunk_time_interval => chunk, create_default_indexes => false
    );
    execute format('comment on table vitals.%I is %L', materialised, rollup_name || ': the buckets before its watermark, encoded.');
    perform vitals.show_materialised(rollup_name, materialised, shape, width);
end
$$;
comment on function vitals.create_rollup_table(text, text, regclass, interval, interval) is 'Creates the table of a rollup and the view that decodes it.';

-- The statement that inserts rows into the table of a rollup. Parameters: the rollup, its table, and a SELECT of rows as the rollup shows them.
create or replace function vitals.rollup_insert(r vitals.rollup, target_table text, rows text) returns text
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    if r.kept_by = 'timescaledb' then
        return format('insert into %s %s', target_table, rows);
    end if;
    return (
        select format(
            'insert into %s (%s) select %s from (%s) as c', target_table,
            string_agg(format('%I', l.stored_name), ', ' order by l.place), string_agg(l.encode, ', ' order by l.place), rows
        )
        from vitals.rollup_layout(format('public.%I', r.name)::regclass, r.width) as l
        where l.stored_name is not null
    );
end
$$;
comment on function vitals.rollup_insert(vitals.rollup, text, text) is 'The statement that inserts rows into the table of a rollup.';

-- Apache edition: converts tables from before migration V37 to this layout. The rows are copied; nothing is computed from the sources, which
-- may have lost rows. All new tables are filled before the first old one is replaced. Idempotent.
-- Locks: vitals.block_rollup_refresh until commit, so refreshes wait; readers wait from the moment when the last table is filled.
create or replace function vitals.narrow_rollups() returns void
language plpgsql
set search_path = pg_catalog, public, pg_temp
as $$
declare
    wide  constant vitals.rollup[] := array(
        select o from vitals.rollup as o
        where o.kept_by = 'vitals' and exists (
            select from pg_attribute
            where attrelid = format('vitals.%I', o.name || '_materialised')::regclass and attname = 'heart_rate_avg'
        )
        order by o.position
    );
    r     vitals.rollup;
    chunk interval;
begin
    if cardinality(wide) = 0 then
        return;
    end if;
    perform vitals.block_rollup_refresh();
    foreach r in array wide loop
        select d.time_interval into chunk
        from timescaledb_information.dimensions as d
        where d.hypertable_schema = 'vitals' and d.hypertable_name = r.name || '_materialised';
        perform vitals.create_rollup_table(
            r.name, r.name || '_narrow', format('vitals.%I', r.name || '_materialised')::regclass, r.width, chunk
        );
        execute vitals.rollup_insert(
            r, format('vitals.%I', r.name || '_narrow'),
            format('select * from vitals.%I order by bucket, device_sn', r.name || '_materialised')
        );
    end loop;
    foreach r in array wide loop
        perform vitals.show_rollup(r);
        -- The chunks of this table have new names from now on. Records of dropped chunks stay; the existing chunks are recorded again.
        update vitals.rollup_chunk as c
        set gone = true, span = c.span * tstzrange(null, o.watermark)
        from vitals.rollup as o
        where o.name = c.rollup and o.source = r.name and not c.gone and to_regclass(c.chunk) is null
            and c.span && tstzrange(null, o.watermark);
        delete from vitals.rollup_chunk as c using vitals.rollup as o
        where o.name = c.rollup and o.source = r.name and not c.gone;
        execute format('drop table vitals.%I', r.name || '_materialised');
        execute format('alter table vitals.%I rename to %I', r.name || '_narrow', r.name || '_materialised');
        insert into vitals.rollup_chunk (rollup, chunk, span)
        select o.name, format('%I.%I', s.chunk_schema, s.chunk_name), tstzrange(s.range_start, s.range_end)
        from vitals.rollup as o
        join timescaledb_information.chunks as s
            on s.hypertable_schema = 'vitals' and s.hypertable_name = r.name || '_materialised'
        where o.source = r.name;
    end loop;
end
$$;
comment on function vitals.narrow_rollups() is 'Converts the tables of rollups from before migration V37 to the narrow layout.';
