-- How rollups that are continuous aggregates (Community edition) are materialised by the clock, and the job of TimescaleDB.

-- Materialises the buckets between the watermark of each aggregate and now() - refresh_lag: the base first, and each aggregate only as
-- far as its source. Buckets before a watermark are not computed here; vitals.refresh_marked computes them by device, so that the cost
-- depends on the changed rows. TimescaleDB logs those changes too, merged into few ranges, so a refresh_continuous_aggregate by a DBA
-- stays correct.
-- An aggregate over another one is refreshed from the real-time view of that one. In a sequential scan TimescaleDB (2.29) looks up its
-- watermark for every row, in an index scan once; so sequential scans are disabled.
-- A window has a fixed end, at the lag, so that a row dated 2030 does not move the watermark there. It excludes times whose source
-- chunks were dropped. Windows are refreshed oldest first, because a watermark must not pass buckets that are not materialised.
-- Only the owner of the aggregates may refresh them. For other roles this procedure does nothing; the job, which the owner owns, does it.
-- TimescaleDB refuses a refresh while another one covers the same time, so calls wait for each other. The lock is one of the session,
-- because the procedure commits several times. An idle session whose refresh failed may still hold it; that lock is ignored.
create or replace procedure vitals.advance_continuous()
language plpgsql
as $$
declare
    lock_key constant bigint := pg_catalog.hashtextextended('vitals.rollup', 0);
    seq_scan constant text := pg_catalog.current_setting('enable_seqscan');
    r        vitals.rollup;
    span     tstzrange;
    has_lock boolean;
begin
    if not (
        select pg_catalog.pg_has_role(v.viewowner, 'usage')
        from pg_catalog.pg_views as v
        where v.schemaname = 'public' and v.viewname = 'health_15m'
    ) then
        return;
    end if;
    loop
        has_lock := pg_catalog.pg_try_advisory_lock(lock_key);
        exit when has_lock or vitals.is_abandoned(lock_key);
        commit;
        perform pg_catalog.pg_sleep(0.05);
    end loop;
    perform pg_catalog.set_config('enable_seqscan', 'off', false);
    for r in select * from vitals.rollup order by position loop
        for span in
            select s.span
            from pg_catalog.unnest(
                vitals.refreshable(r, vitals.rollup_watermark(r), vitals.advance_to(r))
            ) as s (span)
            order by s.span
        loop
            call public.refresh_continuous_aggregate(
                pg_catalog.format('public.%I', r.name)::regclass,
                nullif(pg_catalog.lower(span), '-infinity'), pg_catalog.upper(span),
                options => pg_catalog.jsonb_build_object(
                    -- A transaction covers one day, or one bucket if that is longer.
                    'buckets_per_batch', greatest(1, 86400 / extract(epoch from r.width))::integer,
                    'refresh_newest_first', false
                )
            );
        end loop;
    end loop;
    perform pg_catalog.set_config('enable_seqscan', seq_scan, false);
    if has_lock then
        perform pg_catalog.pg_advisory_unlock(lock_key);
    end if;
    commit;
end
$$;
comment on procedure vitals.advance_continuous() is 'Materialises the continuous aggregates up to now() - refresh_lag.';

-- The time up to which a continuous aggregate is to be materialised now: the lag ago, and not past its source. For the base rollup it
-- is marked_below, because changes after that time are not marked.
create or replace function vitals.advance_to(r vitals.rollup) returns timestamptz
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
    select coalesce(
        r.marked_below,
        vitals.bucket_start(r.width, r.time_zone, least(vitals.rollup_watermark(s), now() - p.refresh_lag))
    )
    from public.policy as p
    left join vitals.rollup as s on s.name = r.source
    where p.relation = r.name
$$;
comment on function vitals.advance_to(vitals.rollup) is 'The time up to which a continuous aggregate is to be materialised now.';

-- Whether the session that holds the lock has ended its refresh with an error: it is idle, or in a failed transaction. A session between
-- two statements of a transaction is still working, and a session whose state we may not see is assumed to be.
create or replace function vitals.is_abandoned(lock_key bigint) returns boolean
language sql
set search_path = pg_catalog, pg_temp
as $$
    select exists (
        select
        from pg_locks as l
        join pg_stat_activity as a on a.pid = l.pid
        where l.locktype = 'advisory' and l.granted and l.objsubid = 1
            and l.database = (select oid from pg_database where datname = current_database())
            and (l.classid::bigint << 32 | l.objid::bigint) = lock_key
            and a.state in ('idle', 'idle in transaction (aborted)')
    )
$$;
comment on function vitals.is_abandoned(bigint) is 'Whether the session of a failed refresh still holds the lock.';

-- Whether there is nothing to refresh.
create or replace function vitals.rollups_are_current() returns boolean
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
    select vitals.rollup_watermark(r) >= vitals.bucket_start(r.width, r.time_zone, now() - p.refresh_lag)
        and not exists (select from vitals.rollup_dirty)
        and not exists (select from vitals.refresh_request)
    from vitals.rollup as r
    join public.policy as p on p.relation = r.name
    where r.source = 'health_data'
$$;
comment on function vitals.rollups_are_current() is 'Whether there is nothing to refresh.';

-- The procedure that TimescaleDB calls by the clock, in a session of its own. The service refreshes by its own clock, so a broken
-- scheduler of TimescaleDB delays nothing. The job refreshes when no service is running, or when the service does not own the aggregates.
create or replace procedure vitals.refresh_rollups_job(job_id integer, config jsonb)
language plpgsql
as $$
begin
    if vitals.rollups_are_current() then
        return;
    end if;
    call public.refresh_rollups();
end
$$;
comment on procedure vitals.refresh_rollups_job(integer, jsonb) is 'The job of TimescaleDB that calls refresh_rollups().';

-- Creates or changes the one job that refreshes all rollups; its interval is the shortest policy.refresh_every. Idempotent. Does nothing
-- on the Apache edition, where the service calls refresh_rollups() itself.
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
    -- A failed run is retried after the same interval. next_start is set, because the next run was scheduled with the old interval.
    perform public.alter_job(job, schedule_interval => every, retry_period => every, next_start => now() + every)
    from timescaledb_information.jobs as j
    where j.job_id = job and (j.schedule_interval <> every or j.retry_period <> every);
end
$$;
comment on function vitals.schedule_rollups() is 'Creates or changes the job that refreshes the rollups, as policy.refresh_every says.';
