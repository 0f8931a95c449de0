-- A batch whose alerts take too long to evaluate in one transaction, such as an import: the devices of the batch are listed once, and
-- evaluated a few at a time, so that nobody waits long for a lock, and what was evaluated is kept when the service stops.
-- Called by store::outbox in place of finish_batches.

-- Prepares the batch (prepare_batches) and lists its devices in vitals.outbox_device. Parameters as in prepare_batches. Returns false, and nothing was done, if the batch is no longer leased under the token.
-- Locks: those of prepare_batches; new rows of vitals.outbox_device.
create or replace function vitals.slice_batch(
    token uuid, batch_id bigint, devices text[], first_ts timestamptz, last_ts timestamptz, view_missed boolean
) returns boolean
language plpgsql
set search_path = pg_catalog, public, pg_temp
set plan_cache_mode = force_custom_plan
as $$
declare
    claimed    outbox;
    event_from timestamptz;
    event_to   timestamptz;
begin
    select * into claimed from outbox o
    where o.batch_id = slice_batch.batch_id and o.lease_token = slice_batch.token
    for update;
    if not found then
        return false;
    end if;
    if claimed.sliced then
        return true;
    end if;
    if claimed.events is distinct from 0 then
        event_from := coalesce(claimed.first_ts, '-infinity');
        event_to := coalesce(claimed.last_ts, 'infinity');
    end if;
    perform vitals.prepare_batches(
        slice_batch.token, array[slice_batch.batch_id], slice_batch.devices, slice_batch.first_ts, slice_batch.last_ts,
        slice_batch.view_missed
    );
    insert into vitals.outbox_device (batch_id, device_sn, first_ts, last_ts, rows)
    select slice_batch.batch_id, d.device_sn, min(d.first_ts), max(d.last_ts), sum(d.rows)
    from (
        select h.device_sn, min(h.ts) as first_ts, max(h.ts) as last_ts, count(*) as rows
        from health_data h
        where h.batch_id = slice_batch.batch_id and h.ts between slice_batch.first_ts and slice_batch.last_ts
        group by h.device_sn
        union all
        select e.device_sn, min(e.ts), max(e.ts), count(*)
        from device_event e
        where e.batch_id = slice_batch.batch_id and e.ts between event_from and event_to
        group by e.device_sn
    ) as d
    group by d.device_sn;
    -- Whoever evaluates slices claims it.
    update outbox o set sliced = true, lease_token = null, leased_until = null where o.batch_id = slice_batch.batch_id;
    return true;
end
$$;
comment on function vitals.slice_batch(uuid, bigint, text[], timestamptz, timestamptz, boolean) is
    'Prepares a batch and lists its devices in vitals.outbox_device. Called by the relay only.';

-- Evaluates alerts for the next devices of a sliced batch, those with the oldest rows: at most `most_devices`, with at most about
-- `most_rows` rows; of a device with more rows, the oldest of them. Deletes the outbox row when no device is left.
-- held is false, and nothing was done, if the batch is no longer leased under the token. finished: none is left. notified: there are
-- new rows of notification. alert_seconds: how long the rules took.
-- Locks: the outbox row; then what evaluate_alerts takes.
create or replace function vitals.evaluate_slice(token uuid, batch_id bigint, most_devices integer, most_rows integer)
returns table (held boolean, finished boolean, notified boolean, alert_seconds double precision)
language plpgsql
set search_path = pg_catalog, public, pg_temp
set plan_cache_mode = force_custom_plan
as $$
declare
    slice       record;
    trace       text;
    has_changes boolean := false;
    began_at    timestamptz;
begin
    select o.traceparent into trace from outbox o
    where o.batch_id = evaluate_slice.batch_id and o.lease_token = evaluate_slice.token and o.sliced
    for update;
    if not found then
        return query select false, false, false, null::double precision;
        return;
    end if;
    if trace is not null then
        -- For notify_alerts, in this transaction only.
        perform set_config('vitals.traces', jsonb_build_object(evaluate_slice.batch_id, trace)::text, true);
    end if;

    with waiting as (
        select
            d.device_sn, d.first_ts, d.last_ts, d.rows, min(d.first_ts) over () as begins_ts,
            sum(d.rows) over (order by d.first_ts, d.device_sn) as rows_so_far
        from (
            select * from vitals.outbox_device o
            where o.batch_id = evaluate_slice.batch_id
            order by o.first_ts, o.device_sn
            limit evaluate_slice.most_devices
        ) as d
    ),
    next as materialized (
        select w.*, case when w.rows > evaluate_slice.most_rows then (
            select h.ts
            from health_data h
            where h.device_sn = w.device_sn and h.ts between w.first_ts and w.last_ts and h.batch_id + 0 = evaluate_slice.batch_id
            order by h.ts
            offset evaluate_slice.most_rows
            limit 1
        ) end as next_ts
        from waiting w
        where w.rows_so_far - w.rows < evaluate_slice.most_rows
          -- Few chunks at a time.
          and w.first_ts < w.begins_ts + interval '32 days'
    ),
    done as (
        delete from vitals.outbox_device d using next n
        where d.batch_id = evaluate_slice.batch_id and d.device_sn = n.device_sn and n.next_ts is null
    ),
    shortened as (
        update vitals.outbox_device d
        set first_ts = n.next_ts, rows = d.rows - evaluate_slice.most_rows
        from next n
        where d.batch_id = evaluate_slice.batch_id and d.device_sn = n.device_sn and n.next_ts is not null
    )
    select array_agg(n.device_sn) as devices, min(n.first_ts) as first_ts,
        max(coalesce(n.next_ts - interval '1 microsecond', n.last_ts)) as last_ts
    into slice
    from next n;

    began_at := clock_timestamp();
    if slice.devices is not null then
        has_changes := vitals.evaluate_alerts(
            array[evaluate_slice.batch_id], slice.devices, vitals.alert_partitions(slice.devices), true, slice.first_ts, slice.last_ts,
            slice.first_ts, slice.last_ts
        );
    end if;
    if not exists (select from vitals.outbox_device d where d.batch_id = evaluate_slice.batch_id) then
        delete from outbox o where o.batch_id = evaluate_slice.batch_id;
        return query select true, true, has_changes, extract(epoch from clock_timestamp() - began_at)::double precision;
        return;
    end if;
    return query select true, false, has_changes, extract(epoch from clock_timestamp() - began_at)::double precision;
end
$$;
comment on function vitals.evaluate_slice(uuid, bigint, integer, integer) is
    'Evaluates alerts for the next devices of a sliced batch. Called by the relay only.';
