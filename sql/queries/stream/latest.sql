-- stream.latest
-- Purpose: the newest values of devices as JSON, the newest first, with the tenant and the units that see them: the unit of the wearer
-- and those above it.
--   $1 serials
-- What was not measured is left out. Numbers of 64 bits are text.
-- Locks: none.
select
    l.device_sn, l.customer_id, array_remove(coalesce(u.ancestors, '{}') || l.org_id, null) as org_ids,
    jsonb_strip_nulls(to_jsonb(l) || jsonb_build_object(
        'user_id', l.user_id::text, 'org_id', l.org_id::text, 'customer_id', l.customer_id::text, 'cell', null
    )) as row
from unnest($1::text[]) as changed (device_sn)
-- Planned for one device, by its keys; without the offset for all devices at once, which reads whole tables.
cross join lateral (select * from dashboard.latest as one where one.device_sn = changed.device_sn offset 0) as l
left join org_unit as u on u.org_id = l.org_id
order by l.ts desc
