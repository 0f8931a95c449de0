-- directory.merge_users
-- Purpose: writes the staged lines to the directory. A room that is NULL stays as it is; an empty one is removed.
-- Result: the numbers of new and of changed rows, and a text for each of the first ones.
-- Locks: the row of vitals.directory, rows of app_user.
with next as (
    select i.user_id, i.name, i.org_id, case when i.room is null then u.room else nullif(i.room, '') end as room
    from pg_temp.incoming i
    left join app_user u using (user_id)
),
merged as (
    insert into app_user as known (user_id, name, org_id, room)
    select user_id, name, org_id, room from next order by user_id
    on conflict (user_id) do update set name = excluded.name, org_id = excluded.org_id, room = excluded.room
    where (known.name, known.org_id, known.room) is distinct from (excluded.name, excluded.org_id, excluded.room)
    returning known.xmax = 0 as is_new, known.user_id,
        concat_ws(' ', '"' || known.name || '"', 'in unit ' || known.org_id, 'in room "' || known.room || '"') as description
)
select
    count(*) filter (where is_new) as added,
    count(*) filter (where not is_new) as changed,
    array(select concat_ws(' ', 'user', m.user_id, nullif(m.description, '')) from merged m where m.is_new limit 3) as first_added,
    -- This query reads the rows from before the statement, because a statement does not see its own changes.
    array(
        select concat_ws(' ', 'user', m.user_id, m.description || ', was', concat_ws(' ', '"' || o.name || '"', 'in unit ' || o.org_id, 'in room "' || o.room || '"'))
        from merged m join app_user o using (user_id) where not m.is_new limit 3
    ) as first_changed
from merged
