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

-- Waits for the locks of devices. NULL in `others`: any device.
create or replace function vitals.lock_alerts(breaching text[], others text[] default '{}') returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    wanted record;
begin
    for wanted in
        select p.partition, bool_or(p.is_exclusive) as is_exclusive
        from (
            select vitals.alert_partition(d) as partition, true as is_exclusive from unnest(lock_alerts.breaching) as d
            union all
            select vitals.alert_partition(d), false from unnest(lock_alerts.others) as d
            union all
            select every, false from generate_series(0, 63) as every where lock_alerts.others is null
        ) as p
        group by p.partition
        order by p.partition
    loop
        if wanted.is_exclusive then
            perform pg_advisory_xact_lock(vitals.alert_lock(), wanted.partition);
        else
            perform pg_advisory_xact_lock_shared(vitals.alert_lock(), wanted.partition);
        end if;
    end loop;
end
$$;
comment on function vitals.lock_alerts(text[], text[]) is 'Waits for the locks of devices whose alerts are evaluated: exclusive for the breaching ones, shared for the others.';

-- Waits for exclusive locks of devices, in the order of their partitions; `first_key` is the second key of partition 0.
create or replace function vitals.lock_alert_partitions(devices text[], first_key integer) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    wanted integer;
begin
    for wanted in
        select distinct vitals.alert_partition(d) from unnest(lock_alert_partitions.devices) as d order by 1
    loop
        perform pg_advisory_xact_lock(vitals.alert_lock(), lock_alert_partitions.first_key + wanted);
    end loop;
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
