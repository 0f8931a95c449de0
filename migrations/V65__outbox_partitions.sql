-- The partitions of the devices of a batch, so that a relay finishes batches of different devices at the same time.
-- Phase: expand
-- Locks: outbox exclusively, for a moment; the column has no default, so no row is written.
alter table outbox add column partitions bigint;
comment on column outbox.partitions is 'A bit for each partition (vitals.alert_partition) in which the batch has devices, the first one lowest. NULL: not known, so any.';
