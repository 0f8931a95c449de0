-- directory.merge_orgs
-- Purpose: the lines become rows.
-- Result: how many rows are new, and how many were changed.
-- Locks: the row of vitals.directory, rows of org_unit.
with merged as (
    insert into org_unit as known (org_id, name, ancestors)
    select org_id, name, ancestors from pg_temp.incoming order by org_id
    on conflict (org_id) do update set name = excluded.name, ancestors = excluded.ancestors
    where (known.name, known.ancestors) is distinct from (excluded.name, excluded.ancestors)
    returning known.xmax = 0 as is_new
)
select count(*) filter (where is_new) as added, count(*) filter (where not is_new) as changed, 0::bigint as ended
from merged
