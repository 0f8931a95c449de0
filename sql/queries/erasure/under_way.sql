-- erasure.under_way
-- Purpose: what somebody may hold rows of in memory: batches that are being reacted to, or that were committed a moment ago
-- (store::handover keeps their rows for 20 s at most), and changes of alerts.
-- Locks: none.
select
    array(
        select batch_id from outbox
        where leased_until > clock_timestamp() or created_at > clock_timestamp() - interval '30 s'
    ) as batches,
    array(select change_id from vitals.alert_change where leased_until > clock_timestamp()) as changes
