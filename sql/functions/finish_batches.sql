-- Adds new devices of committed batches to the table device, and records once a day that a device has sent data.
-- Parameters as in prepare_batches and evaluate_alerts.
-- Locks: rows of device by serial. Locked rows are skipped, because whoever locked one writes the same.
create or replace function vitals.add_devices(
    batch_ids bigint[], devices text[], first_ts timestamptz, last_ts timestamptz, event_from timestamptz, event_to timestamptz
) returns void
language plpgsql
set search_path = pg_catalog, public, pg_temp
-- The planner must know the time range to exclude the chunks of other days.
set plan_cache_mode = force_custom_plan
as $$
begin
    with sent as materialized (
        select unnest(add_devices.devices) as device_sn
        union
        select h.device_sn
        from health_data h
        where add_devices.devices is null
          and vitals.is_evaluated_row(h.batch_id, h.device_sn, add_devices.batch_ids, null, false)
          and h.ts between add_devices.first_ts and add_devices.last_ts
        union
        select e.device_sn
        from device_event e
        where vitals.is_evaluated_row(e.batch_id, e.device_sn, add_devices.batch_ids, null, false)
          and e.ts between add_devices.event_from and add_devices.event_to
    ),
    added as (
        insert into device (device_sn)
        select sent.device_sn
        from sent
        where not exists (select from device where device.device_sn = sent.device_sn)
        order by sent.device_sn
        on conflict do nothing
    ),
    -- heard_at is updated once a day per device, so a device that sends all day costs nothing.
    silent as (
        select d.device_sn
        from device as d
        join sent on sent.device_sn = d.device_sn
        where d.heard_at < now() - interval '1 day'
        order by d.device_sn
        for update of d skip locked
    )
    update device set heard_at = now() from silent where device.device_sn = silent.device_sn;
    -- A clock that was off may be right again. The relay reports those that are off.
    perform vitals.measure_clocks(array_agg(d.device_sn), array_agg(now()))
    from device d
    where d.clock_offset_seconds is not null and d.clock_measured_at < now() - interval '10 minutes'
      and d.device_sn = any (add_devices.devices)
    having count(*) > 0;
end
$$;
comment on function vitals.add_devices(bigint[], text[], timestamptz, timestamptz, timestamptz, timestamptz) is
    'Adds the devices of committed batches to the table device.';

-- What committed batches cause in the database apart from alerts: marks of rollups, rows of device, and a new generation of the view if
-- Redis did not take their values. store::outbox::prepare calls it once for all batches that a relay has claimed, for doing it for many
-- costs little more than for one; finish_batches follows in transactions of few batches. All of it may be done twice.
--   token         the lease under which the batches were claimed
--   batch_ids     the batches
--   devices       their devices, each once; NULL: too many for the relay to pass, so they are looked up here
--   first_ts,     time range of their rows; NULL: the batches left no rows
--   last_ts
--   view_missed   Redis did not get the latest values of these batches
-- Returns false, and nothing was done, if any of the batches is no longer leased under the token.
-- Locks: the outbox rows of the batches (a claim never waits for them), the locks of mark_rollups, rows of device by serial, and last
-- the row of latest_view. The rows of device come late because a writer of device_info may wait for them.
create or replace function vitals.prepare_batches(
    token uuid, batch_ids bigint[], devices text[], first_ts timestamptz, last_ts timestamptz, view_missed boolean
) returns boolean
language plpgsql
set search_path = pg_catalog, public, pg_temp
as $$
declare
    claimed record;
begin
    -- A row without a time range may have events of any time.
    select
        count(*) as rows,
        case when bool_or(o.events is distinct from 0) then
            case when bool_or(o.first_ts is null) then '-infinity' else min(o.first_ts) end
        end as event_from,
        case when bool_or(o.events is distinct from 0) then
            case when bool_or(o.last_ts is null) then 'infinity' else max(o.last_ts) end
        end as event_to
    into claimed
    from (
        select * from outbox
        where batch_id = any (prepare_batches.batch_ids) and lease_token = prepare_batches.token
        order by batch_id
        for update
    ) as o;
    if claimed.rows <> cardinality(prepare_batches.batch_ids) then
        return false;
    end if;
    if prepare_batches.first_ts is not null then
        perform vitals.mark_rollups(prepare_batches.batch_ids, prepare_batches.first_ts, prepare_batches.last_ts);
    end if;
    perform vitals.add_devices(
        prepare_batches.batch_ids, prepare_batches.devices, prepare_batches.first_ts, prepare_batches.last_ts,
        claimed.event_from, claimed.event_to
    );
    if prepare_batches.view_missed then
        update vitals.latest_view set generation = generation + 1;
    end if;
    return true;
end
$$;
comment on function vitals.prepare_batches(uuid, bigint[], text[], timestamptz, timestamptz, boolean) is
    'Adds the new devices of committed batches and marks the rollups. Called by the relay only, before finish_batches.';

-- Evaluates alerts for committed batches, and deletes their outbox rows, in one transaction. store::outbox::finish calls it after
-- prepare_batches.
--   token, batch_ids, first_ts, last_ts   as in prepare_batches
--   devices       their devices, each once, and maybe more; NULL: not known, so they are looked up here
-- Result: held is false if any of the rows is no longer leased under the token. Then another relay has taken over and will finish the
-- batches, and this call has changed nothing. notified: whether there are new rows of notification. alert_seconds: duration of the rules.
-- Locks, always in this order, so that two relays cannot deadlock: the outbox rows of the batches (a claim never waits for them), then
-- those of evaluate_alerts.
create or replace function vitals.finish_batches(
    token uuid, batch_ids bigint[], devices text[], first_ts timestamptz, last_ts timestamptz
) returns table (held boolean, notified boolean, alert_seconds double precision)
language plpgsql
set search_path = pg_catalog, public, pg_temp
-- The planner must know the time range to exclude the chunks of other days.
set plan_cache_mode = force_custom_plan
as $$
declare
    rows_held    integer;
    with_events  boolean;
    event_from   timestamptz;
    event_to     timestamptz;
    has_changes  boolean := false;
    partitions   bigint;
    traces       jsonb;
    began_at     timestamptz;
begin
    perform 1
    from outbox
    where batch_id = any (finish_batches.batch_ids) and lease_token = finish_batches.token
    order by batch_id
    for update;
    get diagnostics rows_held = row_count;
    if rows_held <> cardinality(finish_batches.batch_ids) then
        return query select false, false, null::double precision;
        return;
    end if;
    -- The rows are locked now. Claims skip locked rows, so the lease cannot be lost any more, however long the rest takes.
    with gone as (
        delete from outbox where batch_id = any (finish_batches.batch_ids)
        returning outbox.batch_id, outbox.rows, outbox.events, outbox.first_ts, outbox.last_ts, outbox.partitions, outbox.traceparent
    )
    -- A row without a time range may have events of any time.
    select
        bool_or(events is distinct from 0),
        case when bool_or(gone.first_ts is null) then '-infinity' else min(gone.first_ts) end,
        case when bool_or(gone.last_ts is null) then 'infinity' else max(gone.last_ts) end,
        -- Of batches with readings only, so that an SOS waits for no evaluation of readings. NULL or 0: the writer gave none, so any.
        case when finish_batches.first_ts is null then 0
            else bit_or(case when gone.rows = 0 then 0 else coalesce(nullif(gone.partitions, 0), -1) end)
        end,
        jsonb_object_agg(gone.batch_id, gone.traceparent) filter (where gone.traceparent is not null)
    into with_events, event_from, event_to, partitions, traces
    from gone;
    if traces is not null then
        -- For notify_alerts, in this transaction only.
        perform set_config('vitals.traces', traces::text, true);
    end if;

    if finish_batches.devices is null and finish_batches.first_ts is not null then
        finish_batches.devices := array(
            select distinct h.device_sn
            from health_data h
            where vitals.is_evaluated_row(h.batch_id, h.device_sn, finish_batches.batch_ids, null, false)
              and h.ts between finish_batches.first_ts and finish_batches.last_ts
        );
    end if;
    began_at := clock_timestamp();
    has_changes := vitals.evaluate_alerts(
        finish_batches.batch_ids, finish_batches.devices, partitions, false, finish_batches.first_ts, finish_batches.last_ts,
        case when with_events then event_from end, case when with_events then event_to end
    );
    return query select true, has_changes, extract(epoch from clock_timestamp() - began_at)::double precision;
end
$$;
comment on function vitals.finish_batches(uuid, bigint[], text[], timestamptz, timestamptz) is
    'Evaluates alerts for committed batches, and deletes their outbox rows. Called by the relay only, after prepare_batches.';
