-- device_clock.list
-- Purpose: the devices whose clock is off, with who owns them now, the farthest first.
-- Parameters: $1 seconds beyond which a clock is off, $2 only devices of this tenant (NULL: any), $3 most rows.
-- Locks: none.
select d.device_sn, d.clock_offset_seconds, d.clock_measured_at, o.customer_id, u.name as user_name
from device d
left join vitals.device_period as o on o.device_sn = d.device_sn and o.period @> now()
left join app_user as u on u.user_id = o.user_id
where d.clock_offset_seconds is not null and abs(d.clock_offset_seconds) > $1::bigint
  and ($2::bigint is null or o.customer_id = $2)
order by abs(d.clock_offset_seconds) desc, d.device_sn
limit $3::bigint
