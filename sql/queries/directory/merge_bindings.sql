-- directory.merge_bindings
-- Purpose: the planned bindings become rows.
-- Result: how many rows are new, and how many were changed.
-- Locks: the row of vitals.directory, rows of device_binding.
with merged as (
    insert into device_binding as known (device_sn, user_id, valid_from, valid_until)
    select device_sn, user_id, valid_from, valid_until
    from pg_temp.timeline
    where is_given and user_id is not null
    order by device_sn, valid_from
    on conflict (device_sn, valid_from) do update set user_id = excluded.user_id, valid_until = excluded.valid_until
    where (known.user_id, known.valid_until) is distinct from (excluded.user_id, excluded.valid_until)
    returning known.xmax = 0 as is_new
)
select count(*) filter (where is_new) as added, count(*) filter (where not is_new) as changed
from merged
