-- Rollups that are continuous aggregates (Community edition) are computed again by device, as those of the Apache edition are:
-- what TimescaleDB noted as changed and did not compute yet becomes a request, and from now on changes are marked by device.
-- The procedures of the earlier way go.
-- Locks: the rows of vitals.rollup. (The functions that follow add triggers to health_data and a key to the tables of the
-- aggregates, both against writers: minutes for hundreds of millions of buckets.)

drop procedure if exists vitals.refresh_continuous(timestamptz, timestamptz);
drop procedure if exists vitals.refresh_materialised(timestamptz, timestamptz);
drop function if exists vitals.refresh_windows(vitals.rollup, tstzrange, boolean);
drop function if exists vitals.unmade_from(vitals.rollup, timestamptz);

do $$
declare
    base    record;
    pending tstzmultirange;
begin
    select c.mat_hypertable_id, c.raw_hypertable_id into base
    from vitals.rollup as r
    join _timescaledb_catalog.continuous_agg as c on c.user_view_schema = 'public' and c.user_view_name = r.name
    where r.kept_by = 'timescaledb' and r.source = 'health_data';
    if not found then
        return;
    end if;

    -- What lies before the watermark of the lowest aggregate is marked from now on; what follows it is materialised whole.
    update vitals.rollup
    set marked_below = case
        when w.watermark <= -210866803200000000 then '-infinity'
        else _timescaledb_functions.to_timestamp(w.watermark)
    end
    from (select _timescaledb_functions.cagg_watermark(base.mat_hypertable_id) as watermark) as w
    where source = 'health_data';

    -- Changes noted for any of the aggregates, where there is anything to compute them from.
    select range_agg(tstzrange(
        _timescaledb_functions.to_timestamp(greatest(l.lowest, s.first)),
        _timescaledb_functions.to_timestamp(least(l.greatest, s.last)) + interval '1 microsecond'
    )) into pending
    from (
        select lowest_modified_value, greatest_modified_value
        from _timescaledb_catalog.continuous_aggs_hypertable_invalidation_log
        where hypertable_id in (
            select base.raw_hypertable_id
            union all
            select c.mat_hypertable_id
            from _timescaledb_catalog.continuous_agg as c
            join vitals.rollup as r on c.user_view_schema = 'public' and c.user_view_name = r.name
        )
        union all
        -- Of each what lies before its own watermark: the rest is materialised when its time comes.
        select l.lowest_modified_value,
            least(l.greatest_modified_value, _timescaledb_functions.cagg_watermark(c.mat_hypertable_id) - 1)
        from _timescaledb_catalog.continuous_aggs_materialization_invalidation_log as l
        join _timescaledb_catalog.continuous_agg as c on c.mat_hypertable_id = l.materialization_id
        join vitals.rollup as r on c.user_view_schema = 'public' and c.user_view_name = r.name
    ) as l (lowest, greatest),
    (
        select 1000000 * extract(epoch from min(range_start))::bigint as first,
            least(
                1000000 * extract(epoch from max(range_end))::bigint,
                _timescaledb_functions.cagg_watermark(base.mat_hypertable_id)
            ) - 1 as last
        from timescaledb_information.chunks
        where hypertable_schema = 'public' and hypertable_name = 'health_data'
    ) as s
    where greatest(l.lowest, s.first) <= least(l.greatest, s.last);
    insert into vitals.refresh_request (from_ts, to_ts) select lower(span), upper(span) from unnest(pending) as span;
end
$$;

