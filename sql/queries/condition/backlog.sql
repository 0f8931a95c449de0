-- condition.backlog
-- Purpose: what waits: transactions for their reaction, notifications that are due, each with the age of the oldest, seconds.
-- Locks: none.
select
    outbox.waiting               as transactions,
    outbox.oldest_seconds        as transaction_seconds,
    notification.waiting         as notifications,
    notification.oldest_seconds  as notification_seconds
from (
    select
        count(*)                                                                                      as waiting,
        coalesce(greatest(0, extract(epoch from clock_timestamp() - min(created_at))), 0)::float8     as oldest_seconds
    from outbox
) as outbox, (
    select
        count(*)                                                                                      as waiting,
        coalesce(greatest(0, extract(epoch from clock_timestamp() - min(due_at))), 0)::float8         as oldest_seconds
    from notification
    where status = 'pending' and due_at <= now()
) as notification
