-- Creates one rollup in the way the edition needs; store::rollups calls it from `vitals migrate`.
-- Parameters: the columns of vitals.rollup, the interval of its chunks, and the SELECT of sql/rollups with the zone filled in.
-- Locks: new relations; health_data against writers while its triggers are added.
--
-- Community: the SELECT becomes a real-time continuous aggregate. A unique key on its table (vitals.add_rollup_keys) guarantees one row
-- per device and bucket: without it, a refresh of TimescaleDB and one of ours at the same time would leave two.
-- Apache: a hypertable vitals.<name>_materialised stores the buckets before the watermark (see vitals.rollup_layout), and the view
-- public.<name> adds the live tail. The view contains the SELECT unchanged; a CTE before it gives the name of the source to the part of
-- the source that is not materialised. Two bounds keep that part small:
--   * the watermark, read in the snapshot of the query, so that a reader sees each bucket once, whatever a refresh does at the
--     same time;
--   * the immutable function <name>_live_from(), so that the planner excludes the chunks before it. Its value is never later than the
--     watermark of any snapshot in use (see vitals.publish_live_from), so it does not change the result.
create or replace function vitals.create_rollup(
    new_name       text,
    new_position   smallint,
    new_source     text,
    new_width      interval,
    new_zone       text,
    new_chunk      interval,
    new_definition text
) returns void
language plpgsql
set search_path = pg_catalog, public, pg_temp
as $$
declare
    shape        constant text := new_name || '_shape';
    live_from    constant text := new_name || '_live_from';
    base         constant boolean := new_source = 'health_data';
    kept_by      constant text := case vitals.edition() when 'community' then 'timescaledb' else 'vitals' end;
    begins       timestamptz := '-infinity';
begin
    perform vitals.check_rollup_zone(new_zone);
    if base then
        create trigger health_data_rollup_truncate
            after truncate on health_data
            for each statement execute function vitals.empty_rollups_on_truncate();
    end if;

    -- If health_data is empty (and stays so, because the new trigger has locked out writers), everything up to now counts as
    -- materialised. Then the planner has its bound from the first query on.
    if kept_by = 'vitals' then
        select vitals.bucket_start(new_width, new_zone, least(s.watermark, now() - p.refresh_lag)) into begins
        from policy as p
        left join vitals.rollup as s on s.name = new_source
        where p.relation = new_name and not exists (select from show_chunks('health_data'));
    end if;
    begins := coalesce(begins, '-infinity');
    insert into vitals.rollup (
        name, position, source, width, time_zone, definition, kept_by, watermark, marked_below, live_from, live_from_next
    )
    values (
        new_name, new_position, new_source, new_width, new_zone, new_definition, kept_by, begins,
        case when base then begins end, begins, begins
    );

    if kept_by = 'timescaledb' then
        execute format(
            'create materialized view public.%I with (timescaledb.continuous, timescaledb.materialized_only = false, '
            'timescaledb.create_group_indexes = false, timescaledb.chunk_interval = %L) as %s with no data',
            new_name, new_chunk, new_definition
        );
        return;
    end if;

    -- A temporary table with the columns of the SELECT: only their names and types are read.
    execute format('create table vitals.%I as %s with no data', shape, new_definition);
    perform vitals.create_rollup_table(new_name, new_name || '_materialised', format('vitals.%I', shape)::regclass, new_width, new_chunk);
    execute format('drop table vitals.%I', shape);
    execute format(
        'create function vitals.%I() returns timestamptz language sql immutable parallel safe '
        'as $f$ select timestamptz %L $f$',
        live_from, begins
    );
    perform vitals.show_rollup(r) from vitals.rollup as r where r.name = new_name;
end
$$;
comment on function vitals.create_rollup(text, smallint, text, interval, text, interval, text) is
    'Creates a rollup in the way the edition needs.';

-- Creates or replaces the view of a rollup of the Apache edition. Locks: the view exclusively, until commit.
create or replace function vitals.show_rollup(r vitals.rollup) returns void
language plpgsql
set search_path = pg_catalog, public, pg_temp
as $$
begin
    execute format(
        'create or replace view public.%1$I as '
        'select * from vitals.%2$I '
        'where bucket < (select watermark from vitals.rollup where name = %1$L) '
        'union all '
        '(with %3$I as ('
            'select * from public.%3$I '
            'where %4$I >= (select watermark from vitals.rollup where name = %1$L) and %4$I >= vitals.%5$I()'
        ') %6$s)',
        r.name, r.name || '_decoded', r.source, case when r.source = 'health_data' then 'ts' else 'bucket' end,
        r.name || '_live_from', r.definition
    );
end
$$;
comment on function vitals.show_rollup(vitals.rollup) is 'Creates or replaces the view of a rollup.';

-- Adds the columns that the new SELECT of a rollup has behind the existing ones. Materialised buckets are not computed again for
-- this: the new columns are NULL in them until they are computed again for another reason.
-- Parameters: the rollup, its new SELECT, names and expressions of the added columns in order.
-- Locks: vitals.block_rollup_refresh, so refreshes wait; the rollup and its table exclusively. All until commit.
create or replace function vitals.extend_rollup(rollup_name text, new_definition text, columns text[], expressions text[]) returns void
language plpgsql
set search_path = pg_catalog, public, pg_temp
as $$
declare
    shape  constant text := format('vitals.%I', rollup_name || '_shape');
    counts constant text[] := array(select added.name from unnest(columns) as added (name) where added.name like '%\_count');
    r      vitals.rollup;
begin
    perform vitals.narrow_rollups();
    perform vitals.block_rollup_refresh();
    update vitals.rollup set definition = new_definition where name = rollup_name returning * into r;
    -- A temporary table with the columns of the new SELECT: only their names and types are read.
    execute format('create table %s as %s with no data', shape, new_definition);
    if r.kept_by = 'timescaledb' then
        execute (
            select format('alter materialized view public.%I %s', rollup_name, string_agg(
                format(
                    'add column %I %s generated always as (%s) stored',
                    added.name, format_type(a.atttypid, a.atttypmod), added.expression
                ), ', ' order by added.place
            ))
            from unnest(columns, expressions) with ordinality as added (name, expression, place)
            join pg_attribute as a on a.attrelid = shape::regclass and a.attname = added.name
        );
    else
        execute (
            select format('alter table vitals.%I %s', rollup_name || '_materialised', string_agg(
                format(
                    'add column %I %s %s', l.stored_name, l.stored_type,
                    case when l.stored_name = any (counts) then 'default -1' end
                ), ', ' order by l.place
            ))
            from vitals.rollup_layout(shape::regclass, r.width) as l
            where l.name = any (columns) and l.stored_name is not null
        );
        -- The default applies to existing rows only. PostgreSQL keeps it in its catalogue and rewrites no row.
        execute (
            select format('alter table vitals.%I %s', rollup_name || '_materialised', string_agg(
                format('alter column %I drop default', added.name), ', '
            ))
            from unnest(counts) as added (name)
        );
        perform vitals.show_materialised(rollup_name, rollup_name || '_materialised', shape::regclass, r.width);
        perform vitals.show_rollup(r);
    end if;
    execute format('drop table %s', shape);
end
$$;
comment on function vitals.extend_rollup(text, text, text[], text[]) is 'Adds the columns that the new SELECT of a rollup has behind the existing ones.';

-- Creates the triggers that mark changes by hand. The service's own updates (a duplicate that fills NULLs) have a batch, and the relay
-- marks them by it; so the service sets vitals.marks_by_batch, and the triggers skip its updates. Idempotent.
-- Locks: health_data against writers, if a trigger is missing.
create or replace function vitals.watch_changes_by_hand() returns void
language plpgsql
set search_path = pg_catalog, public, pg_temp
as $$
declare
    by_row constant boolean := vitals.edition() = 'community';
    marks  constant regproc := case when by_row then 'vitals.mark_rollups_on_deleted_row' else 'vitals.mark_rollups_on_delete' end;
begin
    if not exists (
        select from pg_trigger where tgrelid = 'health_data'::regclass and tgname = 'health_data_rollup_update'
    ) then
        create trigger health_data_rollup_update
            after update on health_data
            referencing old table as old_rows new table as new_rows
            for each statement when (current_setting('vitals.marks_by_batch', true) is distinct from 'on')
            execute function vitals.mark_rollups_on_update();
    end if;
    if not exists (
        select from pg_trigger
        where tgrelid = 'health_data'::regclass and tgname = 'health_data_rollup_delete' and tgfoid = marks
    ) then
        drop trigger if exists health_data_rollup_delete on health_data;
        if by_row then
            create trigger health_data_rollup_delete
                after delete on health_data
                for each row execute function vitals.mark_rollups_on_deleted_row();
        else
            create trigger health_data_rollup_delete
                after delete on health_data
                referencing old table as old_rows
                for each statement execute function vitals.mark_rollups_on_delete();
        end if;
    end if;
end
$$;
comment on function vitals.watch_changes_by_hand() is 'Creates the triggers that mark changes of health_data by hand.';

-- Adds to the table of each continuous aggregate the index that finds the buckets of a device. It is unique if the owner may create an
-- index in TimescaleDB's own schema; for other owners TimescaleDB offers no way to create a unique one. Idempotent.
-- Locks: the table against writers, if the index is missing.
create or replace function vitals.add_rollup_keys() returns void
language plpgsql
set search_path = pg_catalog, public, pg_temp
as $$
declare
    each    text;
    table_name text;
begin
    for each in select name from vitals.rollup where kept_by = 'timescaledb' order by position loop
        table_name := vitals.rollup_table(each);
        if has_schema_privilege('_timescaledb_internal', 'create') then
            execute format('create unique index if not exists %I on %s (device_sn, bucket)', each || '_key', table_name);
        elsif not exists (
            select from pg_index as i
            join pg_attribute as a on a.attrelid = i.indrelid and a.attnum = i.indkey[0]
            where i.indrelid = table_name::regclass and a.attname = 'device_sn'
        ) then
            execute format('create index %I on public.%I (device_sn, bucket)', each || '_key', each);
        end if;
    end loop;
end
$$;
comment on function vitals.add_rollup_keys() is 'Adds the index that finds the buckets of a device in the tables of the continuous aggregates.';

-- Refuses zones in which a midnight occurs twice (the Azores, Havana: clocks go back from 01:00 to 00:00). There, no single instant is
-- the start of that day, neither for us nor for TimescaleDB. Also refuses offsets from UTC that are not multiples of 15 minutes.
create or replace function vitals.check_rollup_zone(zone text) returns void
language plpgsql
set search_path = pg_catalog, public, pg_temp
as $$
declare
    first constant timestamp := date_trunc('month', now()) - interval '5 years';
    twice date;
begin
    select day::date into twice
    from generate_series(first, first + interval '30 years', interval '1 day') as days (day)
    where ((day at time zone zone) - interval '30 minutes') at time zone zone >= day
    limit 1;
    if found then
        raise exception 'rollups cannot be cut in zone %: midnight of % occurs twice there', zone, twice
            using errcode = 'invalid_parameter_value';
    end if;
    -- The smallest buckets are quarter hours of UTC.
    if exists (
        select from generate_series(first, first + interval '30 years', interval '1 month') as months (month)
        where extract(epoch from month at time zone zone)::bigint % 900 <> 0
    ) then
        raise exception 'rollups cannot be cut in zone %: its offset from UTC is not a multiple of 15 minutes', zone
            using errcode = 'invalid_parameter_value';
    end if;
end
$$;
comment on function vitals.check_rollup_zone(text) is 'Refuses a zone in which rollups cannot be cut.';

-- Drops all rollups, so that the next `vitals migrate` creates them again, possibly in another zone. Use it only while all raw rows
-- still exist: buckets whose raw rows were dropped are lost.
-- Locks: the rollups and health_data exclusively.
create or replace function vitals.drop_rollups() returns void
language plpgsql
set search_path = pg_catalog, public, pg_temp
as $$
declare
    r vitals.rollup;
begin
    for r in select * from vitals.rollup order by position desc loop
        if r.kept_by = 'timescaledb' then
            execute format('drop materialized view public.%I cascade', r.name);
        else
            execute format('drop view public.%I cascade', r.name);
            execute format('drop table vitals.%I cascade', r.name || '_materialised');
            execute format('drop function vitals.%I()', r.name || '_live_from');
        end if;
    end loop;
    drop trigger if exists health_data_rollup_truncate on health_data;
    drop trigger if exists health_data_rollup_update on health_data;
    drop trigger if exists health_data_rollup_delete on health_data;
    delete from vitals.rollup_dirty;
    delete from vitals.rollup;
end
$$;
comment on function vitals.drop_rollups() is 'Drops all rollups; the next migrate creates them again.';
