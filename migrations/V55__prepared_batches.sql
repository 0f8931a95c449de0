-- What batches cause apart from alerts is done once for all that a relay has claimed (vitals.prepare_batches), before they are finished a
-- few at a time. A refresh finds the marks of the next devices by an index in their order.
-- Locks: vitals.rollup_dirty against writers while the index is built; it is empty unless much of the past was just uploaded.

drop function if exists vitals.finish_batches(uuid, bigint[], text[], timestamptz, timestamptz, boolean);

create index rollup_dirty_device_idx on vitals.rollup_dirty (device_sn, from_bucket, mark_id);
