-- directory.refuse_orgs
-- Purpose: removes lines that repeat an earlier one.
-- Result: each removed line with the reason; a NULL reason: the line was identical to an earlier one.
with first as (
    select distinct on (org_id) * from pg_temp.incoming order by org_id, line
),
refused as (
    delete from pg_temp.incoming i
    using first f
    where f.org_id = i.org_id and f.line < i.line
    returning
        i.line,
        case
            when (i.name, i.ancestors) is distinct from (f.name, f.ancestors)
            then format('organisation unit %s is another in line %s', i.org_id, f.line)
        end as reason
)
select line, reason from refused order by line
