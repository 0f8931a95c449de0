-- Brings all rollups up to date, on both editions. When it returns, they contain every batch whose reaction was finished before the
-- call. Readers see consistent rollups all the time.
-- Parameters: none, or a range of time that is computed again whether or not a change is known there. Buckets whose raw rows
-- were dropped stay as they are.
-- Locks: none that a reader or a writer of health_data waits for. It commits several times, so it cannot run inside a transaction.
-- All names are qualified, because a procedure that commits cannot set its search_path.
create or replace procedure public.refresh_rollups(from_ts timestamptz default null, to_ts timestamptz default null)
language plpgsql
as $$
declare
    started  constant timestamptz := pg_catalog.clock_timestamp();
    newest   constant bigint := 9223372036854775807;
    keeper   text;
    every    interval;
    advance  timestamptz := '-infinity'; -- when the watermarks are moved next
    last     bigint; -- the last mark that existed at the start
    with_new boolean := false;
    more     boolean;
begin
    if from_ts >= to_ts or (from_ts is null) <> (to_ts is null) then
        raise exception 'refresh_rollups: from % to % is no range', from_ts, to_ts
            using errcode = 'invalid_parameter_value';
    end if;
    keeper := (select max(r.kept_by) from vitals.rollup as r);
    if keeper is null then
        raise exception 'there are no rollups yet: run `vitals migrate`'
            using errcode = 'object_not_in_prerequisite_state';
    end if;
    commit;
    set transaction isolation level read committed;
    perform vitals.refuse_foreign_functions();
    perform vitals.mark_requests();
    if from_ts is not null then
        perform vitals.mark_range(from_ts, to_ts);
    end if;
    commit;
    last := (select max(d.mark_id) from vitals.rollup_dirty as d);
    every := coalesce(
        (select min(p.refresh_every) from public.policy as p join vitals.rollup as r on r.name = p.relation), '1 minute'
    );
    loop
        -- However many marks are left, the watermarks are moved in time.
        if pg_catalog.clock_timestamp() >= advance then
            advance := pg_catalog.clock_timestamp() + every;
            commit;
            set transaction isolation level read committed;
            perform vitals.raise_mark();
            commit;
            if keeper = 'timescaledb' then
                call vitals.advance_continuous();
            else
                loop
                    set transaction isolation level read committed;
                    more := vitals.advance_rollups();
                    commit;
                    exit when not more;
                end loop;
            end if;
        end if;
        exit when last is null;
        -- Two kinds of step alternate. One takes the newest of all marks; the other takes the newest of the marks that existed at the
        -- start. So new marks do not wait, and the procedure ends although more of them arrive.
        commit;
        set transaction isolation level read committed;
        more := vitals.refresh_marked(case when with_new then newest else last end);
        commit;
        exit when not more and not with_new;
        with_new := not with_new;
    end loop;
    set transaction isolation level read committed;
    if keeper = 'vitals' then
        perform vitals.publish_live_from();
    end if;
    update vitals.rollup set refreshed_at = started;
    commit;
end
$$;
comment on procedure public.refresh_rollups(timestamptz, timestamptz) is
    'Brings all rollups up to date; with a range, computes that range again.';
