-- directory.refuse_customers
-- Purpose: takes lines out that repeat an earlier one.
-- Result: the line, and why it is refused; no reason: it said the same.
with first as (
    select distinct on (customer_id) * from pg_temp.incoming order by customer_id, line
),
refused as (
    delete from pg_temp.incoming i
    using first f
    where f.customer_id = i.customer_id and f.line < i.line
    returning
        i.line,
        case when i.name <> f.name then format('customer %s has another name in line %s', i.customer_id, f.line) end as reason
)
select line, reason from refused order by line
