-- The jobs of TimescaleDB that the service depends on (Community edition), and the state of each: the jobs of schema vitals, every
-- policy on our hypertables and continuous aggregates, and jobs that should exist and do not.
-- No rows on the Apache edition.
-- Runs as the owner of the jobs, because TimescaleDB and PostgreSQL show only to the owner whether a job runs and why it failed. It
-- changes nothing. The part of an error message that quotes a row is cut off, because it may contain health data.
-- state, in the order in which the conditions are tested:
--   missing            it was never created, or somebody deleted it
--   not_scheduled      alter_job(scheduled => false)
--   runs_too_long      longer than two of its intervals, but at least an hour and at most a day
--   crashed            its process ended a quarter of an hour ago without a result; TimescaleDB restarts a crashed job after five minutes
--   overdue            it should have started five minutes ago: there is no scheduler, or no free background worker
--   failed_after_work  TimescaleDB counts it as failed, but its work was committed (PostgreSQL 17.12 with TimescaleDB 2.29.2)
--   failed             it failed twice in a row, or once and the next attempt is more than ten minutes away
--   ok                 none of these
-- seconds: how long it has been running, crashed or overdue; if it failed, the time until the next attempt. words: the last error message.
-- Parameters: none. Locks: none that others wait for.
create or replace function vitals.watched_jobs()
returns table (job_id integer, job text, state text, seconds float8, failures integer, words text)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    if vitals.edition() <> 'community' then
        return;
    end if;
    return query
    with relations as (
        -- The jobs name the view of a continuous aggregate.
        select
            t.relation, p.compress_after,
            case t.kind when 'rollup' then 'public' else t.schema_name end as schema_name,
            case t.kind when 'rollup' then t.relation else t.table_name end as table_name
        from vitals.policy_relations() as t
        left join public.policy as p on p.relation = t.relation
        where t.kind <> 'table' and t.table_name is not null
    ), wanted (proc_name, relation) as (
        select 'apply_policies_job', null
        union all
        select 'refresh_rollups_job', null where exists (select from vitals.rollup where kept_by = 'timescaledb')
        union all
        select 'policy_compression', r.relation from relations as r where r.compress_after is not null
    ), ours as (
        select
            j.*, r.relation, s.last_start, s.last_run_success, s.consecutive_failures,
            s.total_runs > 0 and s.last_finish = '-infinity' as has_begun,
            -- The owner cannot see the processes of another role, so such a job counts as alive.
            not pg_has_role(j.owner, 'usage') or exists (
                select from pg_stat_activity as a
                where a.datname = current_database() and a.application_name = j.application_name
            ) as is_alive,
            greatest(nullif(coalesce(s.next_start, j.initial_start), '-infinity'), nullif(s.last_finish, '-infinity')) as due_at,
            greatest(interval '1 hour', least(interval '1 day', 2 * j.schedule_interval)) as too_long,
            e.sqlerrcode,
            left(regexp_replace(e.err_message, '[. ]*(Failing row contains|Key \().*', ''), 300) as err_message
        from timescaledb_information.jobs as j
        left join relations as r on r.schema_name = j.hypertable_schema and r.table_name = j.hypertable_name
        left join _timescaledb_internal.bgw_job_stat as s on s.job_id = j.job_id
        left join lateral (
            select h.sqlerrcode, h.err_message
            from timescaledb_information.job_errors as h
            where h.job_id = j.job_id and s.consecutive_failures > 0
            order by h.start_time desc
            limit 1
        ) as e on true
        where j.proc_schema = 'vitals' or r.relation is not null
    ), classified as (
        select
            o.*, coalesce(o.proc_name, w.proc_name) as proc, coalesce(o.relation, w.relation) as of_relation,
            case
                when o.job_id is null then 'missing'
                when not o.scheduled then 'not_scheduled'
                when o.has_begun and o.is_alive and o.last_start < now() - o.too_long then 'runs_too_long'
                when o.has_begun and not o.is_alive and o.last_start < now() - interval '15 minutes' then 'crashed'
                when o.has_begun then 'ok'
                when o.due_at < now() - interval '5 minutes' then 'overdue'
                when not o.last_run_success and o.sqlerrcode = '24000'
                    and o.err_message like 'cannot drop portal % while it is being set up%' then 'failed_after_work'
                when not o.last_run_success
                    and (o.consecutive_failures > 1 or o.due_at > now() + interval '10 minutes') then 'failed'
                else 'ok'
            end as job_state
        from ours as o
        full join wanted as w on w.proc_name = o.proc_name and w.relation is not distinct from o.relation
    )
    select
        g.job_id, g.proc || coalesce(' of ' || g.of_relation, ''), g.job_state,
        extract(epoch from case
            when g.job_state in ('runs_too_long', 'crashed') then now() - g.last_start
            when g.job_state = 'overdue' then now() - g.due_at
            when g.job_state in ('failed', 'failed_after_work') then greatest(g.due_at - now(), interval '0')
        end)::float8,
        g.consecutive_failures,
        g.err_message
    from classified as g
    order by g.job_state = 'ok', g.proc, g.of_relation;
end
$$;
comment on function vitals.watched_jobs() is 'Jobs of TimescaleDB that the service depends on, and their state.';
revoke execute on function vitals.watched_jobs() from public;
