-- kiosk_link.used
-- Purpose: records that kiosk links were used just now; called at most once a minute for each.
-- Parameters: $1 links.
-- Locks: the rows.
update vitals.kiosk_link
set last_used_at = now()
where kiosk_link_id = any ($1::bigint[])
