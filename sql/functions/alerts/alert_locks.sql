-- Advisory locks under which alerts are evaluated. Each device belongs to one of 64 partitions. Transactions that evaluate devices of different
-- partitions do not wait for each other. Of two transactions with devices of one partition, one waits for the commit of the other.
-- An evaluation reads stored rows and alerts of a device; two at the same time would each miss what the other has not committed yet:
--   exclusive   for devices with a breach, whose alerts may start;
--   shared      for all other devices of a batch: a transaction that raises an alert waits for those that saw no alert of the device;
--   event       (a second lock a partition, exclusive) for devices with an event that a rule names. Alerts of events follow from events alone,
--               and those of readings from readings: an SOS waits for no batch of readings, however many are evaluated;
--   continued   (a third lock a partition, exclusive) for devices without a breach whose alerts continue or end.
-- A transaction takes the first two together, in the order of the partitions, then the third and the fourth kind, each in the same order; so
-- no deadlock occurs. All are held until its end.

-- The first key of these locks; the second is the partition, 64 more for continued, 128 more for events. -1: one sweep at a time (alert_sweep.sweep).
create or replace function vitals.alert_lock() returns integer
language sql immutable parallel safe
as $$ select 824312266 $$;
comment on function vitals.alert_lock() is 'First key of the advisory locks for the evaluation of alerts.';

create or replace function vitals.alert_partition(device_sn text) returns integer
language sql immutable strict parallel safe
as $$ select hashtext(device_sn) & 63 $$;
comment on function vitals.alert_partition(text) is 'The partition of a device, 0 to 63: second key of the advisory locks for the evaluation of its alerts.';

-- Waits for the locks of devices, in the order of their partitions. `others`: a bit for each partition of the devices without a breach.
create or replace function vitals.lock_alerts(breaching text[], others bigint default 0) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
-- Who calls it may plan with values, which costs more here than the locks.
set plan_cache_mode = force_generic_plan
as $$
declare
    exclusive constant integer[] := array(select distinct vitals.alert_partition(d) from unnest(lock_alerts.breaching) as d);
begin
    perform case
        when w.partition = any (exclusive) then pg_advisory_xact_lock(vitals.alert_lock(), w.partition)
        else pg_advisory_xact_lock_shared(vitals.alert_lock(), w.partition)
    end
    from (
        select p as partition
        from generate_series(0, 63) as p
        where p = any (exclusive) or lock_alerts.others & (1::bigint << p) <> 0
        order by p
    ) as w;
end
$$;
comment on function vitals.lock_alerts(text[], bigint) is 'Waits for the locks of devices whose alerts are evaluated: exclusive for the breaching ones, shared for the others.';

-- The bits of the partitions of devices, as in outbox.partitions.
create or replace function vitals.alert_partitions(devices text[]) returns bigint
language sql immutable parallel safe
as $$ select coalesce(bit_or(1::bigint << vitals.alert_partition(d)), 0) from unnest(devices) as d $$;
comment on function vitals.alert_partitions(text[]) is 'A bit for each partition of some devices, as in outbox.partitions.';

-- Waits for exclusive locks of devices, in the order of their partitions; `first_key` is the second key of partition 0.
create or replace function vitals.lock_alert_partitions(devices text[], first_key integer) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
as $$
begin
    perform pg_advisory_xact_lock(vitals.alert_lock(), lock_alert_partitions.first_key + w.partition)
    from (
        select distinct vitals.alert_partition(d) as partition from unnest(lock_alert_partitions.devices) as d order by 1
    ) as w;
end
$$;
comment on function vitals.lock_alert_partitions(text[], integer) is 'Waits for exclusive locks of devices, of the kind that begins at this key.';

-- After lock_alerts, for devices whose alerts of events are evaluated or changed.
create or replace function vitals.lock_event_alerts(devices text[]) returns void
language sql
set search_path = pg_catalog, pg_temp
as $$ select vitals.lock_alert_partitions(devices, 128) $$;
comment on function vitals.lock_event_alerts(text[]) is 'Waits for the locks of devices whose alerts of events are evaluated.';

-- After lock_alerts and lock_event_alerts, for devices without a breach whose alerts continue or end.
create or replace function vitals.lock_continued_alerts(devices text[]) returns void
language sql
set search_path = pg_catalog, pg_temp
as $$ select vitals.lock_alert_partitions(devices, 64) $$;
comment on function vitals.lock_continued_alerts(text[]) is 'Waits for the locks of devices without a breach whose alerts continue or end.';
