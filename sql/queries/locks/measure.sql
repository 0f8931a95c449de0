-- locks.measure
-- Purpose: the size of the lock table of the server, and the number of locks of a transaction over all chunks of the largest hypertable:
-- one for each chunk and one for each of its indexes.
-- Parameters: none. Locks: none.
select
    current_setting('max_locks_per_transaction')::bigint as per_transaction,
    current_setting('max_connections')::bigint + current_setting('max_prepared_transactions')::bigint as transactions,
    h.relation,
    h.chunks,
    h.chunks * (1 + h.indexes) as needed
from (
    select
        c.hypertable_name::text as relation,
        count(*) as chunks,
        (
            select count(*) from pg_index as i
            where i.indrelid = format('%I.%I', c.hypertable_schema, c.hypertable_name)::regclass
        ) as indexes
    from timescaledb_information.chunks as c
    group by c.hypertable_schema, c.hypertable_name
    union all
    select 'health_data', 0, 0
) as h
order by needed desc
limit 1
