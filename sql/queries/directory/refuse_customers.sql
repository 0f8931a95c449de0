-- directory.refuse_customers
-- Purpose: removes lines that repeat an earlier one.
-- Result: each removed line with the reason; a NULL reason: the line was identical to an earlier one.
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
