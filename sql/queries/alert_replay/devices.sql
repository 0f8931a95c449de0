-- alert_replay.devices
-- Purpose: a page of devices, in the order of their serials.
-- Parameters: $1 serials (NULL: any), $2 the last serial of the previous page, $3 most rows; devices that are worn now by somebody of this (NULL: of any)
-- $4 tenant, $5 organisation unit with its sub-units, $6 by this person.
-- Locks: none.
select d.device_sn
from device as d
where ($1::text[] is null or d.device_sn = any ($1)) and d.device_sn > $2
  and (
      num_nonnulls($4::bigint, $5::bigint, $6::bigint) = 0
      or exists (
          select
          from device_binding as b
          join app_user as u on u.user_id = b.user_id
          left join org_unit as o on o.org_id = u.org_id
          where b.device_sn = d.device_sn and b.valid_from <= now() and (b.valid_until is null or b.valid_until > now())
            and ($4::bigint is null or o.customer_id = $4)
            and ($5::bigint is null or u.org_id = $5 or $5 = any (o.ancestors))
            and ($6::bigint is null or u.user_id = $6)
      )
  )
order by d.device_sn
limit $3
