-- erasure.under_way
-- Purpose: the batches and alert changes that are leased now, whose rows another process may have in memory.
-- Locks: none.
select
    array(select batch_id from outbox where leased_until > clock_timestamp()) as batches,
    array(select change_id from vitals.alert_change where leased_until > clock_timestamp()) as changes
