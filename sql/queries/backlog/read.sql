-- backlog.read
-- Purpose: the backlog: transactions whose reaction is not finished and notifications that are due, each with the age of the oldest in
-- seconds; and how long a refresh of the rollups has been due. A finished refresh has processed all marks and requests that existed
-- when it began, so none has waited longer than since then. If no refresh has ever finished, one is due since the schema was created,
-- once there is a chunk. The catalogue says whether there is one; a query on health_data would plan, and lock, every chunk.
-- Locks: none.
select
    outbox.waiting               as transactions,
    outbox.oldest_seconds        as transaction_seconds,
    notification.waiting         as notifications,
    notification.oldest_seconds  as notification_seconds,
    refresh.due_seconds          as refresh_due_seconds
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
) as notification, (
    select
        coalesce(greatest(0, extract(epoch from clock_timestamp() - min(p.refresh_every) - coalesce(
            min(r.refreshed_at),
            (select applied_at from vitals.schema_state where exists (select from pg_inherits where inhparent = 'health_data'::regclass))
        ))), 0)::float8                                                                               as due_seconds
    from vitals.rollup as r
    join policy as p on p.relation = r.name
) as refresh
