-- directory.merge_bindings
-- Purpose: the planned bindings become rows.
-- Result: how many rows are new, and how many were changed; the first of each, for people.
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
            || coalesce(' until ' || known.valid_until, '') as said
)
select
    count(*) filter (where is_new) as added,
    count(*) filter (where not is_new) as changed,
    array(select m.said from merged m where m.is_new limit 3) as first_added,
    -- What the statement itself changes is not seen yet: this is what was there.
    array(
        select m.said || ', was worn by ' || o.user_id || coalesce(' until ' || o.valid_until, '')
        from merged m join device_binding o using (device_sn, valid_from) where not m.is_new limit 3
    ) as first_changed
from merged
