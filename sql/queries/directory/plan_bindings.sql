-- directory.plan_bindings
-- Purpose: plans the bindings of the devices in pg_temp.incoming: the existing bindings and those of the lines, each ending when
-- the next one begins.
-- Locks: none; the caller holds the row of vitals.directory.
create temp table timeline on commit drop as
with dated as (
    select device_sn, valid_from, user_id, valid_until, true as is_given
    from pg_temp.incoming
    where valid_from is not null
    union all
    select b.device_sn, b.valid_from, b.user_id, b.valid_until, false
    from device_binding b
    where b.device_sn in (select device_sn from pg_temp.incoming)
      and not exists (
          select from pg_temp.incoming i where i.device_sn = b.device_sn and i.valid_from = b.valid_from
      )
),
worn_now as (
    select distinct on (device_sn)
        device_sn,
        case when valid_until > now() or valid_until is null then user_id end as user_id
    from dated
    where valid_from <= now()
    order by device_sn, valid_from desc
),
starts as (
    select device_sn, valid_from, user_id, valid_until, is_given from dated
    union all
    -- A line without an instant is ignored if the device has that wearer already.
    select i.device_sn, now(), i.user_id, i.valid_until, true
    from pg_temp.incoming i
    left join worn_now w using (device_sn)
    where i.valid_from is null and i.user_id is distinct from w.user_id
)
select
    device_sn,
    valid_from,
    user_id,
    least(valid_until, lead(valid_from) over (partition by device_sn order by valid_from)) as valid_until,
    is_given
from starts
