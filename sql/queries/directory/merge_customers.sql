-- directory.merge_customers
-- Purpose: writes the staged lines to the directory.
-- Result: the numbers of new and of changed rows, and a text for each of the first ones.
-- Locks: rows of customer.
with merged as (
    insert into customer as known (customer_id, name)
    select customer_id, name from pg_temp.incoming order by customer_id
    on conflict (customer_id) do update set name = excluded.name
    where known.name <> excluded.name
    returning known.xmax = 0 as is_new, known.customer_id, known.name
)
select
    count(*) filter (where is_new) as added,
    count(*) filter (where not is_new) as changed,
    array(select format('customer %s "%s"', m.customer_id, m.name) from merged m where m.is_new limit 3) as first_added,
    -- This query reads the rows from before the statement, because a statement does not see its own changes.
    array(
        select format('customer %s "%s", was "%s"', m.customer_id, m.name, o.name)
        from merged m join customer o using (customer_id) where not m.is_new limit 3
    ) as first_changed
from merged
