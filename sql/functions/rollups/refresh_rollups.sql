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
    started constant timestamptz := pg_catalog.clock_timestamp();
    newest  constant bigint := 9223372036854775807;
    keeper  text;
    every   interval;
    advance timestamptz := '-infinity'; -- when the watermarks follow the clock next
    last    bigint;  -- the last mark there was when it began
    in_turn boolean := false;
    more    boolean;
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
        -- However much is late, the watermarks follow the clock.
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
        -- Steps alternate: one takes the newest marks there are by now, the next one the newest of those that were there when this
        -- began, so that it ends although more come in.
        commit;
        set transaction isolation level read committed;
        more := vitals.refresh_marked(case when in_turn then newest else last end);
        commit;
        exit when not more and not in_turn;
        in_turn := not in_turn;
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
