-- health.can_write
-- Purpose: fails with the error of the server if the role may not write what an upload writes. EXPLAIN checks the rights and writes
-- nothing.
-- Locks: none that others wait for.
explain (costs off)
with announced as (
    insert into outbox default values returning batch_id
), reading as (
    insert into health_data default values
    on conflict (device_sn, ts) do update set batch_id = excluded.batch_id
    returning ts
), event as (
    insert into device_event default values
    on conflict (device_sn, event_type, ts) do update set value = excluded.value
    returning ts
), device_info as (
    insert into device_info default values
    on conflict (device_sn, ts) do update set batch_id = excluded.batch_id
    returning ts
), rejected as (
    insert into rejected_upload default values
), account as (
    insert into vitals.ingest_batch default values
)
select 1
