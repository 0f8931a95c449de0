-- erasure.under_way
-- Purpose: the batches and alert changes whose rows another process may have in memory: those that are leased now, and batches that were
-- committed a moment ago (store::handover keeps their rows for 5 s at most).
-- Locks: none.
select
    array(
        select batch_id from outbox
        where leased_until > clock_timestamp() or created_at > clock_timestamp() - interval '8 s'
    ) as batches,
    array(select change_id from vitals.alert_change where leased_until > clock_timestamp()) as changes
