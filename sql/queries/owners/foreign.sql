-- owners.foreign
-- Purpose: what of these is another tenant's. Asked for what a key of one tenant sends and the directory does not say whose it is.
-- Parameters, each once: $1 the tenant, $2 serials of devices nobody wore at the time, $3 organisation units, $4 wearers.
-- Result: a row for each that is, in the column of its kind. A device that was bound once and is not now is nobody's; one that
-- never was is whose it says it is (vitals.device_period).
-- Locks: none.
select d.device_sn, null::bigint as org_id, null::bigint as user_id
from device d
where d.device_sn = any ($2::text[]) and d.customer_id <> $1::bigint and d.customer_id <> 0
  and not exists (select from device_binding b where b.device_sn = d.device_sn)
union all
select null, o.org_id, null
from org_unit o
where o.org_id = any ($3::bigint[]) and o.customer_id <> $1
union all
select null, null, u.user_id
from app_user u
join org_unit o using (org_id)
where u.user_id = any ($4::bigint[]) and o.customer_id <> $1
