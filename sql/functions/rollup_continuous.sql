-- How the rollups are refreshed where they are continuous aggregates (Community edition): the order, the windows, the job.

-- One continuous aggregate after the other, each after its source, so that a late row has passed
-- through all of them when this returns; five policies of their own would each wait for their turn.
-- A window ends at the lag, never open, so that a row dated 2030 moves no watermark there; and it leaves out whatever the
-- source has lost, which TimescaleDB would otherwise take for deleted. It goes oldest first: a watermark must not pass
-- over what is not materialised yet.
-- TimescaleDB refuses a refresh while another one covers the same time, so the calls wait for each other: by a lock of the
-- session, since it commits on the way. A session that failed may still hold it, idle; that one is not waited for.
create or replace procedure vitals.refresh_continuous(from_ts timestamptz, to_ts timestamptz)
language plpgsql
as $$
declare
    started constant timestamptz := pg_catalog.clock_timestamp();
    turn    constant bigint := pg_catalog.hashtextextended('vitals.rollup', 0);
    r       vitals.rollup;
    span    tstzrange;
    mine    boolean;
begin
    perform vitals.refuse_foreign_functions();
    loop
        mine := pg_catalog.pg_try_advisory_lock(turn);
        exit when mine or vitals.is_abandoned(turn);
        commit;
        perform pg_catalog.pg_sleep(0.05);
    end loop;
    for r in select * from vitals.rollup order by position loop
        for span in
            select w.span
            from public.policy as p,
                pg_catalog.unnest(vitals.refreshable(
                    r,
                    coalesce(vitals.bucket_start(r.width, r.time_zone, from_ts), '-infinity'),
                    least(
                        vitals.bucket_end(r.width, r.time_zone, to_ts - interval '1 microsecond'),
                        vitals.bucket_start(r.width, r.time_zone, pg_catalog.now() - p.refresh_lag)
                    )
                )) as allowed,
                vitals.refresh_windows(r, allowed, from_ts is not null) as w (span)
            where p.relation = r.name and p.refresh_lag is not null
            order by w.span
        loop
            call public.refresh_continuous_aggregate(
                pg_catalog.format('public.%I', r.name)::regclass,
                nullif(pg_catalog.lower(span), '-infinity'), pg_catalog.upper(span),
                force => from_ts is not null,
                options => pg_catalog.jsonb_build_object(
                    -- A day in one transaction, or what is longer by itself.
                    'buckets_per_batch', greatest(1, 86400 / extract(epoch from r.width))::integer,
                    'refresh_newest_first', false
                )
            );
        end loop;
    end loop;
    update vitals.rollup set refreshed_at = started;
    if mine then
        perform pg_catalog.pg_advisory_unlock(turn);
    end if;
end
$$;
comment on procedure vitals.refresh_continuous(timestamptz, timestamptz) is 'refresh_rollups() of the Community edition.';

-- The windows in which one continuous aggregate is refreshed.
-- One that others are made of goes by local days, and only those in which anything has changed: TimescaleDB (2.29) notes
-- what a refresh wrote as one range of bucket starts, and where that range ends exactly at the start of a day, week or
-- month, the aggregate above takes the end for exclusive and leaves that bucket as it was. A range within one day cannot
-- end there, unless it is that one bucket, which is taken right.
-- Parameters: the rollup, the range to refresh, and whether all of it is to be. Locks: none.
create or replace function vitals.refresh_windows(r vitals.rollup, allowed tstzrange, everything boolean)
returns setof tstzrange
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    zone  text;
    first timestamptz;
begin
    -- Days of the aggregates above; hours of UTC end with any day, so they do not matter.
    select o.time_zone into zone from vitals.rollup as o where o.source = r.name order by o.width desc limit 1;
    if not found then
        return next allowed;
        return;
    end if;
    -- TimescaleDB holds all time before the first row for changed; begin where source or rollup have anything.
    select greatest(min(c.range_start), lower(allowed)) into first
    from timescaledb_information.chunks as c
    join (
        select table_schema, table_name from vitals.rollup_source_table(r)
        union all
        select materialization_hypertable_schema, materialization_hypertable_name
        from timescaledb_information.continuous_aggregates
        where view_schema = 'public' and view_name = r.name
    ) as t on c.hypertable_schema = t.table_schema and c.hypertable_name = t.table_name
    having count(*) > 0;
    if not found then
        return;
    end if;
    return query
    with changed as (
        select greatest(lowest, 1000000 * extract(epoch from first)::bigint) as low,
            least(greatest, 1000000 * extract(epoch from upper(allowed))::bigint - 1) as high
        from (
            select l.lowest_modified_value, l.greatest_modified_value
            from _timescaledb_catalog.continuous_aggs_materialization_invalidation_log as l
            join _timescaledb_catalog.continuous_agg as c on c.mat_hypertable_id = l.materialization_id
            where c.user_view_schema = 'public' and c.user_view_name = r.name
            union all
            select l.lowest_modified_value, l.greatest_modified_value
            from _timescaledb_catalog.continuous_aggs_hypertable_invalidation_log as l
            join _timescaledb_catalog.continuous_agg as c on c.raw_hypertable_id = l.hypertable_id
            where c.user_view_schema = 'public' and c.user_view_name = r.name
            union all
            select -9223372036854775808, 9223372036854775807 where everything
        ) as logged (lowest, greatest)
    ), days as (
        select distinct day
        from changed,
            generate_series(
                date_trunc('day', (timestamptz 'epoch' + low * interval '1 microsecond') at time zone zone),
                (timestamptz 'epoch' + high * interval '1 microsecond') at time zone zone,
                interval '1 day'
            ) as day
        where low <= high and first < upper(allowed)
    )
    select w.span
    from days,
        lateral (
            select allowed * tstzrange(
                vitals.bucket_start(interval '1 day', zone, day at time zone zone),
                vitals.bucket_end(interval '1 day', zone, day at time zone zone)
            ) as span
        ) as w
    where not isempty(w.span);
end
$$;
comment on function vitals.refresh_windows(vitals.rollup, tstzrange, boolean) is
    'Windows in which a continuous aggregate is refreshed.';

-- Whether the session that holds the lock is idle: its refresh ended in an error. A session we may not look at is at work.
create or replace function vitals.is_abandoned(turn bigint) returns boolean
language sql
set search_path = pg_catalog, pg_temp
as $$
    select exists (
        select
        from pg_locks as l
        join pg_stat_activity as a on a.pid = l.pid
        where l.locktype = 'advisory' and l.granted and l.objsubid = 1
            and l.database = (select oid from pg_database where datname = current_database())
            and (l.classid::bigint << 32 | l.objid::bigint) = turn
            and a.state like 'idle%'
    )
$$;
comment on function vitals.is_abandoned(bigint) is 'Whether a refresh that failed still holds the lock.';

-- What TimescaleDB calls by the clock, in a session of its own. An aggregate over another one is refreshed from that one's
-- real-time view, whose watermark TimescaleDB (2.29) looks up again for every row of a sequential scan, but once for a scan
-- of the index: with 2 000 devices a late row costs a third of what it costs otherwise.
create or replace procedure vitals.refresh_rollups_job(job_id integer, config jsonb)
language plpgsql
as $$
declare
    asked vitals.refresh_request;
begin
    perform pg_catalog.set_config('enable_seqscan', 'off', false);
    call public.refresh_rollups();
    for asked in select * from vitals.refresh_request order by refresh_request_id loop
        call public.refresh_rollups(asked.from_ts, asked.to_ts);
        delete from vitals.refresh_request where refresh_request_id = asked.refresh_request_id;
    end loop;
end
$$;
comment on procedure vitals.refresh_rollups_job(integer, jsonb) is 'The job of TimescaleDB that calls refresh_rollups().';

-- One job for all rollups, as often as the most impatient of them wants; idempotent. Apache: nothing to do, the service
-- calls refresh_rollups() itself.
-- Locks: the row of the job.
create or replace function vitals.schedule_rollups() returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    every constant interval := (select min(p.refresh_every) from public.policy as p join vitals.rollup as r on r.name = p.relation);
    job   integer;
begin
    if not exists (select from vitals.rollup where kept_by = 'timescaledb') then
        return;
    end if;
    select j.job_id into job
    from timescaledb_information.jobs as j
    where j.proc_schema = 'vitals' and j.proc_name = 'refresh_rollups_job';
    if not found then
        job := public.add_job('vitals.refresh_rollups_job', every, fixed_schedule => false);
    end if;
    -- A failed run is repeated at the same pace. A change counts from now on: the next run was planned by the old pace.
    perform public.alter_job(job, schedule_interval => every, retry_period => every, next_start => now() + every)
    from timescaledb_information.jobs as j
    where j.job_id = job and (j.schedule_interval <> every or j.retry_period <> every);
end
$$;
comment on function vitals.schedule_rollups() is 'Makes the job that refreshes the rollups follow policy.refresh_every.';
