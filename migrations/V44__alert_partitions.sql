-- Alerts are evaluated device by device in place of one batch at a time: locks on partitions of the devices, urgent batches first,
-- imports in slices. The bodies are in sql/functions, which are applied after this file; functions whose parameters change are
-- dropped here.
-- Locks: outbox exclusively, for a moment.

do $$
declare
    old_function regprocedure;
begin
    for old_function in
        select p.oid::regprocedure
        from pg_proc as p
        where p.pronamespace = 'vitals'::regnamespace and p.proname = any (array[
            'alert_eval_lock', 'breached_pairs', 'derive_alerts', 'evaluate_alerts', 'evaluate_pairs', 'expire_alerts', 'extend_alerts',
            'pairs_to_evaluate', 'rebuild_alerts', 'resolve_alerts_of_rule'
        ])
    loop
        execute format('drop function %s', old_function);
    end loop;
end
$$;

alter table outbox
    add column urgent boolean not null default false,
    add column sliced boolean not null default false;
comment on column outbox.urgent   is 'It holds an urgent event, such as SOS_EVENT: it is processed before all other batches.';
comment on column outbox.sliced   is 'The devices of the batch are in vitals.outbox_device; their rows are evaluated in slices. False: they are evaluated together.';
comment on column outbox.attempts is 'How often it was claimed; from the third time on it is processed alone.';

-- Few rows at any time. A claim of urgent batches reads this index and no other row of the outbox.
create index outbox_urgent_idx on outbox (batch_id) where urgent;

create table vitals.outbox_device (
    batch_id  bigint      not null,
    device_sn text        not null collate "C",
    first_ts  timestamptz not null,
    last_ts   timestamptz not null,
    rows      bigint      not null,
    constraint outbox_device_pkey primary key (batch_id, device_sn),
    constraint outbox_device_range_check check (first_ts <= last_ts),
    constraint outbox_device_batch_id_fkey foreign key (batch_id) references outbox (batch_id) on delete cascade
) with (
    autovacuum_vacuum_scale_factor = 0,
    autovacuum_vacuum_threshold = 10000
);
-- The order in which they are evaluated.
create index outbox_device_first_ts_idx on vitals.outbox_device (batch_id, first_ts, device_sn);
comment on table vitals.outbox_device is 'Devices of sliced batches of the outbox. A row is deleted in the transaction that evaluates the alert rules for the rows of the device.';
comment on column vitals.outbox_device.batch_id  is 'The batch, a row of outbox.';
comment on column vitals.outbox_device.device_sn is 'Serial of the device.';
comment on column vitals.outbox_device.first_ts  is 'Oldest event time of its rows in the batch that are not evaluated yet.';
comment on column vitals.outbox_device.last_ts   is 'Newest event time of its rows in the batch.';
comment on column vitals.outbox_device.rows      is 'About how many rows of the device are not evaluated yet.';

-- A value that is no number, written by hand, is no reading. An alert that has one cannot be published.
update alert set last_value = null where last_value = 'NaN' or last_value in ('Infinity', '-Infinity');
update alert set peak_value = null where peak_value = 'NaN' or peak_value in ('Infinity', '-Infinity');
