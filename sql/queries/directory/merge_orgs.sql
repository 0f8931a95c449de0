-- directory.merge_orgs
-- Purpose: writes the staged lines to the directory.
-- Result: the numbers of new and of changed rows, and a text for each of the first ones.
-- Locks: the row of vitals.directory, rows of org_unit.
with merged as (
    insert into org_unit as known (org_id, name, ancestors)
    select org_id, name, ancestors from pg_temp.incoming order by org_id
    on conflict (org_id) do update set name = excluded.name, ancestors = excluded.ancestors
    where (known.name, known.ancestors) is distinct from (excluded.name, excluded.ancestors)
    returning known.xmax = 0 as is_new, known.org_id,
        concat_ws(' ', '"' || known.name || '"', 'below ' || known.ancestors[cardinality(known.ancestors)]) as description
)
select
    count(*) filter (where is_new) as added,
    count(*) filter (where not is_new) as changed,
    array(select concat_ws(' ', 'unit', m.org_id, nullif(m.description, '')) from merged m where m.is_new limit 3) as first_added,
    -- This query reads the rows from before the statement, because a statement does not see its own changes.
    array(
        select concat_ws(' ', 'unit', m.org_id, m.description || ', was',
            concat_ws(' ', '"' || o.name || '"', 'below ' || array_to_string(o.ancestors, ',')))
        from merged m join org_unit o using (org_id) where not m.is_new limit 3
    ) as first_changed
from merged
