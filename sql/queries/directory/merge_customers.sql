-- directory.merge_customers
-- Purpose: the lines become rows.
-- Result: how many rows are new, and how many were changed.
-- Locks: rows of customer.
with merged as (
    insert into customer as known (customer_id, name)
    select customer_id, name from pg_temp.incoming order by customer_id
    on conflict (customer_id) do update set name = excluded.name
    where known.name <> excluded.name
    returning known.xmax = 0 as is_new
)
select count(*) filter (where is_new) as added, count(*) filter (where not is_new) as changed, 0::bigint as ended
from merged
