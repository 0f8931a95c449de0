-- dashboard.is_visible
-- Purpose: whether a device, or a person, is one that may be seen: now, or at any time.
-- Parameters: $1 device, or NULL; $2 person, or NULL.
-- Locks: none.
select
    exists (select from dashboard.device where device_sn = $1::text)
    or exists (select from dashboard.device_binding where device_sn = $1)
    or exists (select from dashboard.person where user_id = $2::bigint) as is_visible
