-- directory.merge_orgs
-- Purpose: the lines become rows.
-- Result: how many rows are new, and how many were changed; the first of each, for people.
-- Locks: the row of vitals.directory, rows of org_unit.
with merged as (
    insert into org_unit as known (org_id, name, ancestors)
    select org_id, name, ancestors from pg_temp.incoming order by org_id
    on conflict (org_id) do update set name = excluded.name, ancestors = excluded.ancestors
    where (known.name, known.ancestors) is distinct from (excluded.name, excluded.ancestors)
    returning known.xmax = 0 as is_new, known.org_id,
        concat_ws(' ', '"' || known.name || '"', 'below ' || known.ancestors[cardinality(known.ancestors)]) as said
)
select
    count(*) filter (where is_new) as added,
    count(*) filter (where not is_new) as changed,
    array(select concat_ws(' ', 'unit', m.org_id, nullif(m.said, '')) from merged m where m.is_new limit 3) as first_added,
    -- What the statement itself changes is not seen yet: this is what was there.
    array(
        select concat_ws(' ', 'unit', m.org_id, m.said || ', was',
            concat_ws(' ', '"' || o.name || '"', 'below ' || array_to_string(o.ancestors, ',')))
        from merged m join org_unit o using (org_id) where not m.is_new limit 3
    ) as first_changed
from merged
