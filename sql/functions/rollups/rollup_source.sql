-- Which rows the source of a rollup still has. A refresh may compute a bucket again only if all rows that it was computed from still exist;
-- otherwise the rollup is the only record left.

-- The part of a range of buckets that may be computed again, in whole buckets: neither the source nor the rollup is about to be dropped
-- there by age, and no chunk of the source was dropped there.
-- Parameters: the rollup, and a range of its buckets. Locks: as vitals.gone_from_source.
create or replace function vitals.refreshable(r vitals.rollup, from_bucket timestamptz, to_bucket timestamptz)
returns tstzmultirange
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    kept timestamptz;
    gone tstzmultirange;
begin
    -- A margin of an hour keeps retention from dropping what a refresh is about to read.
    select vitals.bucket_end(r.width, r.time_zone, now() - min(keep_for) + interval '1 hour') into kept
    from public.policy where relation in (r.source, r.name);
    from_bucket := greatest(from_bucket, kept);
    if from_bucket >= to_bucket then
        return '{}';
    end if;
    select coalesce(range_agg(tstzrange(
        vitals.bucket_start(r.width, r.time_zone, lower(span)),
        vitals.bucket_end(r.width, r.time_zone, upper(span) - interval '1 microsecond')
    )), '{}') into gone
    from unnest(vitals.gone_from_source(r, from_bucket, to_bucket)) as span;
    return tstzmultirange(tstzrange(from_bucket, to_bucket)) - gone;
end
$$;
comment on function vitals.refreshable(vitals.rollup, timestamptz, timestamptz) is 'The part of a range that may be computed again.';

-- The times of a range whose chunks were dropped after the rollup was computed from them. Chunks that are new are recorded. Existing
-- chunks are locked until commit, so that none is dropped between this check and the read.
create or replace function vitals.gone_from_source(r vitals.rollup, from_ts timestamptz, to_ts timestamptz)
returns tstzmultirange
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    wanted constant tstzrange := tstzrange(from_ts, to_ts);
    known  tstzmultirange;
    schema_of_source name;
    name_of_source   name;
    held   text;
begin
    update vitals.rollup_chunk as c
    set gone = true, span = c.span * tstzrange(null, vitals.rollup_watermark(r))
    where c.rollup = r.name and c.span && wanted and not c.gone and to_regclass(c.chunk) is null;

    select coalesce(range_agg(c.span), '{}') into known
    from vitals.rollup_chunk as c
    where c.rollup = r.name and c.span && wanted and not c.gone;
    if not known @> wanted then
        select table_schema, table_name into schema_of_source, name_of_source from vitals.rollup_source_table(r);
        insert into vitals.rollup_chunk (rollup, chunk, span)
        select r.name, format('%I.%I', s.chunk_schema, s.chunk_name), tstzrange(s.range_start, s.range_end)
        from timescaledb_information.chunks as s
        where s.hypertable_schema = schema_of_source and s.hypertable_name = name_of_source
            and tstzrange(s.range_start, s.range_end) && wanted
        on conflict do nothing;
    end if;

    -- TimescaleDB's own refresh commits before it reads, so this lock does not protect it.
    for held in
        select c.chunk from vitals.rollup_chunk as c
        where c.rollup = r.name and c.span && wanted and not c.gone
    loop
        execute format('lock table %s in access share mode', held);
    end loop;

    return coalesce(
        (select range_agg(c.span) from vitals.rollup_chunk as c where c.rollup = r.name and c.span && wanted and c.gone),
        '{}'
    );
end
$$;
comment on function vitals.gone_from_source(vitals.rollup, timestamptz, timestamptz) is
    'Times of a range whose chunks were dropped from the source.';

-- The table from which a rollup is computed.
create or replace function vitals.rollup_source_table(r vitals.rollup, out table_schema name, out table_name name)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    if r.source = 'health_data' then
        table_schema := 'public';
        table_name := r.source;
    elsif r.kept_by = 'vitals' then
        table_schema := 'vitals';
        table_name := r.source || '_materialised';
    else
        select materialization_hypertable_schema, materialization_hypertable_name into table_schema, table_name
        from timescaledb_information.continuous_aggregates
        where view_schema = 'public' and view_name = r.source;
    end if;
end
$$;
comment on function vitals.rollup_source_table(vitals.rollup) is 'Table from which a rollup is computed.';

-- The time before which a rollup is materialised, on either edition.
create or replace function vitals.rollup_watermark(r vitals.rollup) returns timestamptz
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    if r.kept_by = 'vitals' then
        return r.watermark;
    end if;
    return (
        -- If the aggregate is still empty, TimescaleDB returns the oldest possible time.
        select case
            when w.watermark <= -210866803200000000 then '-infinity'
            else _timescaledb_functions.to_timestamp(w.watermark)
        end
        from _timescaledb_catalog.continuous_agg as c,
            lateral (select _timescaledb_functions.cagg_watermark(c.mat_hypertable_id) as watermark) as w
        where c.user_view_schema = 'public' and c.user_view_name = r.name
    );
end
$$;
comment on function vitals.rollup_watermark(vitals.rollup) is 'The watermark of a rollup: buckets before it are materialised.';
