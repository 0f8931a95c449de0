-- kiosk_link.revoke
-- Purpose: revokes a kiosk link. A link that was revoked before stays as it is.
-- Parameters: $1 its number as text, or the name of a link that is not revoked.
-- Result: its name; no row: there is no such link.
-- Locks: the row.
update vitals.kiosk_link
set revoked_at = coalesce(revoked_at, now())
where kiosk_link_id::text = $1 or name = $1 and revoked_at is null
returning name
