-- erasure.still_under_way
-- Purpose: how many of these batches and alert changes are still under way (see erasure.under_way).
-- Parameters: $1 batches, $2 alert changes.
-- Locks: none.
select
    (select count(*) from outbox
     where batch_id = any ($1::bigint[])
       and (leased_until > clock_timestamp() or created_at > clock_timestamp() - interval '8 s'))
    + (select count(*) from vitals.alert_change where change_id = any ($2::bigint[]) and leased_until > clock_timestamp())
