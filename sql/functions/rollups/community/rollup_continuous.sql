-- How rollups that are continuous aggregates (Community edition) follow the clock, and the job of TimescaleDB.

-- Materialises what lies between each aggregate's watermark and the lag: base first, each as far as its source is. Nothing
-- before a watermark is computed here; that is done by device (vitals.refresh_marked), so that its cost follows the changed
-- rows. TimescaleDB notes those changes too, merged into few ranges, so that a DBA's own refresh_continuous_aggregate stays right.
-- An aggregate over another one is refreshed from that one's real-time view, whose watermark TimescaleDB (2.29) looks up again for
-- every row of a sequential scan, but once for a scan of the index.
-- A window ends at the lag, never open, so that a row dated 2030 moves no watermark there; and it leaves out whatever the
-- source has lost. It goes oldest first: a watermark must not pass over what is not materialised yet.
-- Only the owner of the aggregates may; for any other role this does nothing, and the job, which is the owner's, does it.
-- TimescaleDB refuses a refresh while another one covers the same time, so the calls wait for each other: by a lock of the
-- session, since it commits on the way. A session that failed may still hold it, idle; that one is not waited for.
create or replace procedure vitals.advance_continuous()
language plpgsql
as $$
declare
    turn constant bigint := pg_catalog.hashtextextended('vitals.rollup', 0);
    scan constant text := pg_catalog.current_setting('enable_seqscan');
    r    vitals.rollup;
    span tstzrange;
    mine boolean;
begin
    if not (
        select pg_catalog.pg_has_role(v.viewowner, 'usage')
        from pg_catalog.pg_views as v
        where v.schemaname = 'public' and v.viewname = 'health_15m'
    ) then
        return;
    end if;
    loop
        mine := pg_catalog.pg_try_advisory_lock(turn);
        exit when mine or vitals.is_abandoned(turn);
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
                    -- A day in one transaction, or what is longer by itself.
                    'buckets_per_batch', greatest(1, 86400 / extract(epoch from r.width))::integer,
                    'refresh_newest_first', false
                )
            );
        end loop;
    end loop;
    perform pg_catalog.set_config('enable_seqscan', scan, false);
    if mine then
        perform pg_catalog.pg_advisory_unlock(turn);
    end if;
    commit;
end
$$;
comment on procedure vitals.advance_continuous() is 'Lets the watermarks of the continuous aggregates follow the clock.';

-- How far a continuous aggregate is to be materialised now: behind the lag, and never ahead of its source. The lowest one goes to
-- marked_below, from where on nobody marks what changes.
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
comment on function vitals.advance_to(vitals.rollup) is 'How far a continuous aggregate is to be materialised now.';

-- Whether the session that holds the lock has ended its refresh in an error: it is idle, or in a transaction that failed. One that
-- is between two statements of a transaction is at work, and so is one we may not look at.
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
            and a.state in ('idle', 'idle in transaction (aborted)')
    )
$$;
comment on function vitals.is_abandoned(bigint) is 'Whether a refresh that failed still holds the lock.';

-- Whether a refresh would find nothing to do.
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
comment on function vitals.rollups_are_current() is 'Whether a refresh would find nothing to do.';

-- What TimescaleDB calls by the clock, in a session of its own. The service refreshes by its own clock, so that a scheduler
-- that is broken delays nothing; the job does what a service that is away, or is not the owner, leaves to be done.
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
