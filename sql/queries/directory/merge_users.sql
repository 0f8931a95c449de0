-- directory.merge_users
-- Purpose: the lines become rows.
-- Result: how many rows are new, and how many were changed.
-- Locks: the row of vitals.directory, rows of app_user.
with merged as (
    insert into app_user as known (user_id, name, org_id)
    select user_id, name, org_id from pg_temp.incoming order by user_id
    on conflict (user_id) do update set name = excluded.name, org_id = excluded.org_id
    where (known.name, known.org_id) is distinct from (excluded.name, excluded.org_id)
    returning known.xmax = 0 as is_new
)
select count(*) filter (where is_new) as added, count(*) filter (where not is_new) as changed, 0::bigint as ended
from merged
