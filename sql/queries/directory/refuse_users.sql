-- directory.refuse_users
-- Purpose: removes lines that repeat an earlier one, or whose organisation unit is unknown.
-- Result: each removed line with the reason; a NULL reason: the line was identical to an earlier one.
with first as (
    select distinct on (user_id) * from pg_temp.incoming order by user_id, line
),
judged as (
    select
        i.line,
        f.line < i.line as is_repeat,
        case
            when f.line < i.line and (i.name, i.org_id, i.room) is distinct from (f.name, f.org_id, f.room)
            then format('user %s is another in line %s', i.user_id, f.line)
            when f.line = i.line and i.org_id is not null and o.org_id is null
            then format('organisation unit %s is not known', i.org_id)
        end as reason
    from pg_temp.incoming i
    join first f using (user_id)
    left join org_unit o on o.org_id = i.org_id
),
refused as (
    delete from pg_temp.incoming i
    using judged j
    where j.line = i.line and (j.is_repeat or j.reason is not null)
    returning i.line, j.reason
)
select line, reason from refused order by line
