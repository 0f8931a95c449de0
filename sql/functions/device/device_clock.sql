-- The clocks of devices: how far they are behind or ahead, as the lateness of their uploads shows.
-- Before: derive_alerts compares rows; the relay reports devices whose newest row seems off. After: lateness of alerts, silence rules, views.

-- Whether an event type is urgent: somebody may be lying on the ground. The same list as URGENT_EVENT_TYPES of the service.
create or replace function vitals.is_urgent_event(event_type text) returns boolean
language sql
immutable parallel safe
as $$ select event_type in ('SOS_EVENT', 'ONE_KEY_ALARM', 'FALLDOWN_EVENT') $$;
comment on function vitals.is_urgent_event(text) is 'Whether an event type is urgent: SOS, one-key alarm, fall.';

-- Whether two rows of a device, received one after the other, were taken by one running clock: as much time passed between their times as
-- between their receipts, but for 2 s and half of the latter, at most a minute. Uploads that catch up with an outage fail this.
-- Parameters: time and receipt of the later row, time and receipt of the earlier one. Inlined.
create or replace function vitals.is_same_clock(
    ts timestamptz, received_at timestamptz, earlier_ts timestamptz, earlier_received_at timestamptz
) returns boolean
language sql
immutable parallel safe
as $$
    select (ts - earlier_ts) - (received_at - earlier_received_at)
        between - (interval '2 seconds' + least((received_at - earlier_received_at) / 2, interval '1 minute'))
        and interval '2 seconds' + least((received_at - earlier_received_at) / 2, interval '1 minute')
$$;
comment on function vitals.is_same_clock(timestamptz, timestamptz, timestamptz, timestamptz) is
    'Whether as much time passed between the times of two rows of a device as between their receipts.';

-- Measures the clocks of devices and records those that are more than a minute off, and those that are right again. The offset is the
-- least lateness of the newest 256 rows received in the last hour; a clock is off only if two uploads in a row agree.
-- Parameters: the devices, and for each the time of a row that was received lately. A device that was measured in the last ten minutes,
-- and whose clock is off, is left out.
-- Locks: rows of device in the order of serials; locked ones are skipped.
create or replace function vitals.measure_clocks(device_sns text[], seen_ts timestamptz[]) returns void
language plpgsql
set search_path = pg_catalog, public, pg_temp
set plan_cache_mode = force_custom_plan
as $$
declare
    moment constant timestamptz := clock_timestamp();
    oldest constant timestamptz := (select min(t) - interval '62 minutes' from unnest(seen_ts) as t);
begin
    with seen as materialized (
        select d.device_sn, d.clock_offset_seconds, s.ts
        from unnest(measure_clocks.device_sns, measure_clocks.seen_ts) as s (device_sn, ts)
        join device d on d.device_sn = s.device_sn
        where d.clock_offset_seconds is null or d.clock_measured_at < moment - interval '10 minutes'
        order by d.device_sn
        for no key update of d skip locked
    ),
    measured as (
        select s.device_sn, s.clock_offset_seconds, (
            select round(extract(epoch from min(u.received_at - u.ts)))::integer
            from (
                -- The newest row of each upload, and of the upload before it.
                select r.received_at, max(r.ts) as ts,
                    lag(r.received_at) over (order by r.received_at) as earlier_received_at, lag(max(r.ts)) over (order by r.received_at) as earlier_ts
                from (
                    select h.ts, h.received_at
                    from health_data h
                    where h.device_sn = s.device_sn and h.ts >= s.ts - interval '62 minutes' and h.ts >= oldest
                      and h.ts <= moment + interval '25 hours'
                      and h.received_at > moment - interval '1 hour' and h.received_at <= moment
                    order by h.ts desc
                    limit 256
                ) as r
                group by r.received_at
            ) as u
            where u.received_at - u.ts between - interval '1 minute' and interval '1 minute'
               or vitals.is_same_clock(u.ts, u.received_at, u.earlier_ts, u.earlier_received_at)
        ) as seconds
        from seen s
    )
    update device d
    set clock_offset_seconds = case when abs(m.seconds) > 60 then m.seconds end, clock_measured_at = moment
    from measured m
    where d.device_sn = m.device_sn and m.seconds is not null
      and (m.clock_offset_seconds is not null or abs(m.seconds) > 60);
end
$$;
comment on function vitals.measure_clocks(text[], timestamptz[]) is 'Records the devices whose clock is more than a minute off, and those whose clock is right again.';
