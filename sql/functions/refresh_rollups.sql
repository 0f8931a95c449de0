-- Brings all rollups up to date, on every edition. When it returns, everything that was reacted to before the call is in
-- them; readers see each rollup right at every moment on the way.
-- Parameters: none, or a range of time to compute again whether something is known to have changed there or not. No
-- range reaches into time whose raw rows are gone: there the rollup stays as it is.
-- Locks: none that a reader or a writer of health_data waits for. Commits as it goes, so not inside a transaction.
-- Names are qualified throughout: a procedure that commits cannot carry a search_path.
create or replace procedure public.refresh_rollups(from_ts timestamptz default null, to_ts timestamptz default null)
language plpgsql
as $$
declare
    keeper text;
begin
    if from_ts >= to_ts or (from_ts is null) <> (to_ts is null) then
        raise exception 'refresh_rollups: from % to % is no range', from_ts, to_ts
            using errcode = 'invalid_parameter_value';
    end if;
    keeper := (select max(r.kept_by) from vitals.rollup as r);
    if keeper is null then
        raise exception 'there are no rollups yet: run `vitals migrate`'
            using errcode = 'object_not_in_prerequisite_state';
    elsif keeper = 'vitals' then
        call vitals.refresh_materialised(from_ts, to_ts);
    else
        call vitals.refresh_continuous(from_ts, to_ts);
    end if;
end
$$;
comment on procedure public.refresh_rollups(timestamptz, timestamptz) is
    'Brings all rollups up to date; with a range, computes that range again.';

-- Apache edition: the steps of rollup_refresh.sql, each with a commit behind it.
create or replace procedure vitals.refresh_materialised(from_ts timestamptz, to_ts timestamptz)
language plpgsql
as $$
declare
    started constant timestamptz := pg_catalog.clock_timestamp();
    more    boolean;
begin
    commit;
    set transaction isolation level read committed;
    perform vitals.raise_mark();
    if from_ts is not null then
        perform vitals.mark_range(from_ts, to_ts);
    end if;
    loop
        commit;
        set transaction isolation level read committed;
        more := vitals.advance_rollups();
        exit when not more;
    end loop;
    loop
        commit;
        set transaction isolation level read committed;
        more := vitals.refresh_dirty_day();
        exit when not more;
    end loop;
    commit;
    set transaction isolation level read committed;
    perform vitals.publish_live_from();
    update vitals.rollup set refreshed_at = started;
    commit;
end
$$;
comment on procedure vitals.refresh_materialised(timestamptz, timestamptz) is 'refresh_rollups() of the Apache edition.';

-- Community edition: one continuous aggregate after the other, each after its source, so that a late row has passed
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
    loop
        mine := pg_catalog.pg_try_advisory_lock(turn);
        exit when mine or not vitals.is_at_work(turn);
        commit;
        perform pg_catalog.pg_sleep(0.05);
    end loop;
    for r in select * from vitals.rollup order by position loop
        for span in
            select pg_catalog.unnest(vitals.refreshable(
                r,
                coalesce(vitals.bucket_start(r.width, r.time_zone, from_ts), '-infinity'),
                least(
                    vitals.bucket_end(r.width, r.time_zone, to_ts - interval '1 microsecond'),
                    vitals.bucket_start(r.width, r.time_zone, pg_catalog.now() - p.refresh_lag)
                )
            ))
            from public.policy as p
            where p.relation = r.name
        loop
            call public.refresh_continuous_aggregate(
                pg_catalog.format('public.%I', r.name)::regclass,
                nullif(pg_catalog.lower(span), '-infinity'), pg_catalog.upper(span),
                force => from_ts is not null,
                options => pg_catalog.jsonb_build_object(
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

-- Whether a session holds the lock and is not idle.
create or replace function vitals.is_at_work(turn bigint) returns boolean
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
            and (a.state not like 'idle%') is not false
    )
$$;
comment on function vitals.is_at_work(bigint) is 'Whether another refresh is under way.';

-- What TimescaleDB calls by the clock.
create or replace procedure vitals.refresh_rollups_job(job_id integer, config jsonb)
language plpgsql
as $$
begin
    call public.refresh_rollups();
end
$$;
comment on procedure vitals.refresh_rollups_job(integer, jsonb) is 'The job of TimescaleDB that calls refresh_rollups().';

-- One job for all rollups, as often as the most impatient of them wants; idempotent. Apache: nothing to do, the service
-- calls refresh_rollups() itself.
-- Locks: the row of the job.
create or replace function vitals.schedule_rollups() returns void
language plpgsql
set search_path = pg_catalog, public, pg_temp
as $$
declare
    every constant interval := (select min(p.refresh_every) from policy as p join vitals.rollup as r on r.name = p.relation);
    job   integer;
begin
    if not exists (select from vitals.rollup where kept_by = 'timescaledb') then
        return;
    end if;
    select j.job_id into job
    from timescaledb_information.jobs as j
    where j.proc_schema = 'vitals' and j.proc_name = 'refresh_rollups_job';
    if not found then
        job := add_job('vitals.refresh_rollups_job', every, fixed_schedule => false);
    end if;
    -- A failed run is repeated at the same pace.
    perform alter_job(job, schedule_interval => every, retry_period => every);
end
$$;
comment on function vitals.schedule_rollups() is 'Makes the job that refreshes the rollups follow the policy.';
