-- directory.merge_users
-- Purpose: writes the staged lines to the directory.
-- Result: the numbers of new and of changed rows, and a text for each of the first ones.
-- Locks: the row of vitals.directory, rows of app_user.
with merged as (
    insert into app_user as known (user_id, name, org_id)
    select user_id, name, org_id from pg_temp.incoming order by user_id
    on conflict (user_id) do update set name = excluded.name, org_id = excluded.org_id
    where (known.name, known.org_id) is distinct from (excluded.name, excluded.org_id)
    returning known.xmax = 0 as is_new, known.user_id,
        concat_ws(' ', '"' || known.name || '"', 'in unit ' || known.org_id) as description
)
select
    count(*) filter (where is_new) as added,
    count(*) filter (where not is_new) as changed,
    array(select concat_ws(' ', 'user', m.user_id, nullif(m.description, '')) from merged m where m.is_new limit 3) as first_added,
    -- This query reads the rows from before the statement, because a statement does not see its own changes.
    array(
        select concat_ws(' ', 'user', m.user_id, m.description || ', was', concat_ws(' ', '"' || o.name || '"', 'in unit ' || o.org_id))
        from merged m join app_user o using (user_id) where not m.is_new limit 3
    ) as first_changed
from merged
