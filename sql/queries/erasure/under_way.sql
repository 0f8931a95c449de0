-- erasure.under_way
-- Purpose: what is being reacted to at this moment, of which somebody may hold rows in memory: batches, and changes of alerts.
-- Locks: none.
select
    array(select batch_id from outbox where leased_until > clock_timestamp()) as batches,
    array(select change_id from vitals.alert_change where leased_until > clock_timestamp()) as changes
