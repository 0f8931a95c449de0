-- directory.merge_bindings
-- Purpose: writes the planned bindings to the directory.
-- Result: the numbers of new and of changed rows, and a text for each of the first ones.
-- Locks: the row of vitals.directory, rows of device_binding.
with merged as (
    insert into device_binding as known (device_sn, user_id, valid_from, valid_until)
    select device_sn, user_id, valid_from, valid_until
    from pg_temp.timeline
    where is_given and user_id is not null
    order by device_sn, valid_from
    on conflict (device_sn, valid_from) do update set user_id = excluded.user_id, valid_until = excluded.valid_until
    where (known.user_id, known.valid_until) is distinct from (excluded.user_id, excluded.valid_until)
    returning known.xmax = 0 as is_new, known.device_sn, known.valid_from,
        format('device %s worn by %s since %s', known.device_sn, known.user_id, known.valid_from)
            || coalesce(' until ' || known.valid_until, '') as description
)
select
    count(*) filter (where is_new) as added,
    count(*) filter (where not is_new) as changed,
    array(select m.description from merged m where m.is_new limit 3) as first_added,
    -- This query reads the rows from before the statement, because a statement does not see its own changes.
    array(
        select m.description || ', was worn by ' || o.user_id || coalesce(' until ' || o.valid_until, '')
        from merged m join device_binding o using (device_sn, valid_from) where not m.is_new limit 3
    ) as first_changed
from merged
