-- dashboard.binding
-- Purpose: who wore a device when, or which devices a person wore when, the newest first.
-- Parameters: $1 device, or NULL; $2 person, or NULL.
-- Locks: none.
select
    device_sn, user_id, user_name, nullif(valid_from, '-infinity') as valid_from, nullif(valid_until, 'infinity') as valid_until
from dashboard.device_binding
where ($1::text is null or device_sn = $1) and ($2::bigint is null or user_id = $2)
order by coalesce(valid_from, '-infinity') desc, device_sn
limit 500
