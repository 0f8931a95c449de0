-- Which alerts came late, among those of which nobody can say it from the time and the receipt of their rows alone. Called by derive_alerts, and
-- apart from it, because most evaluations have no such alert and need not plan this.
-- A trigger is late if it was received more than late_after after it happened, by a clock that is right: the least lateness of what
-- the device sent in the last hour is what its clock is behind or ahead. It is read from the rows received up to the trigger, so it
-- does not change with time or with the order of evaluation. A clock is off only if two uploads in a row say so
-- (vitals.is_same_clock). An alert is late if all its triggers are; of the triggers of one upload the newest stands for all.
--
-- Parameters, per trigger (arrays of one length): ord and seq of its alert, the device, whether it is an urgent event, the event type (NULL:
-- a reading), late_after, its time and its receipt. For all: whether they are replayed, and from when rows are read.
-- Result: the alerts that are late. Locks: none.
create or replace function vitals.late_alerts(
    ords integer[], seqs integer[], device_sns text[], is_urgent boolean[], event_types text[], late_after interval[],
    trigger_ts timestamptz[], received_at timestamptz[], is_replay boolean, scan_from timestamptz
) returns table (ord integer, seq integer)
language plpgsql stable
set search_path = pg_catalog, public, pg_temp
set plan_cache_mode = force_custom_plan
set enable_seqscan = off
set jit = off
as $$
#variable_conflict use_column
begin
    if cardinality(ords) is null then
        return;
    end if;
    return query
    select u.ord, u.seq
    from (
        select t.ord, t.seq, t.device_sn, t.is_urgent, t.event_type, t.late_after, t.received_at, max(t.ts) as ts
        from unnest(
            late_alerts.ords, late_alerts.seqs, late_alerts.device_sns, late_alerts.is_urgent, late_alerts.event_types,
            late_alerts.late_after, late_alerts.trigger_ts, late_alerts.received_at
        ) as t (ord, seq, device_sn, is_urgent, event_type, late_after, ts, received_at)
        group by t.ord, t.seq, t.device_sn, t.is_urgent, t.event_type, t.late_after, t.received_at
    ) as u
    group by u.ord, u.seq
    having bool_and(case
        when u.is_urgent then u.ts + u.late_after < u.received_at and (
            -- Events that were received at one time are an import: a watch sends each event by itself.
            exists (
                select from device_event e
                where e.device_sn = u.device_sn and e.event_type = u.event_type and e.received_at = u.received_at and e.ts <> u.ts
            )
            -- It was received long ago, and is stored only now.
            or not late_alerts.is_replay and u.received_at < now() - interval '1 day'
        )
        when u.ts + u.late_after < u.received_at then
            -- Older than it should be: late, unless the clock is behind. Then the upload before it was as late, and nothing that was
            -- received lately is less late.
            not exists (
                select from health_data h
                where h.device_sn = u.device_sn and h.ts < u.ts and h.ts >= u.ts - interval '62 minutes'
                  and h.ts >= late_alerts.scan_from - interval '1 day'
                  and h.received_at < u.received_at and h.received_at >= u.received_at - interval '1 hour'
                  and vitals.is_same_clock(u.ts, u.received_at, h.ts, h.received_at)
            )
            or exists (
                select from health_data h
                where h.device_sn = u.device_sn and h.received_at between u.received_at - interval '1 hour' and u.received_at
                  and h.ts > u.received_at - interval '1 hour' - u.late_after and h.ts <= u.received_at + interval '5 minutes'
                  and h.ts >= late_alerts.scan_from - interval '1 day'
                  and h.received_at - h.ts < u.received_at - u.ts - u.late_after
            )
        -- In time, unless the clock is ahead: then rows were received before it with a time after its receipt, two uploads in a row.
        else exists (
            select from health_data h
            where h.device_sn = u.device_sn and h.ts > u.received_at and h.ts <= u.received_at + interval '25 hours'
              and h.ts >= late_alerts.scan_from - interval '1 day'
              and h.received_at between u.received_at - interval '1 hour' and u.received_at
              and h.received_at - h.ts < u.received_at - u.ts - u.late_after
              and exists (
                  select from health_data b
                  where b.device_sn = u.device_sn and b.ts < h.ts and b.ts >= h.ts - interval '62 minutes'
                    and b.ts >= late_alerts.scan_from - interval '1 day'
                    and b.received_at < h.received_at and b.received_at >= h.received_at - interval '1 hour'
                    and vitals.is_same_clock(h.ts, h.received_at, b.ts, b.received_at)
              )
        )
    end);
end
$$;
comment on function vitals.late_alerts(
    integer[], integer[], text[], boolean[], text[], interval[], timestamptz[], timestamptz[], boolean, timestamptz
) is 'Which alerts came late, by the clocks of their devices.';
