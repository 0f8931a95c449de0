-- shift.end
-- Purpose: ends a shift or an absence now. One that has not begun is deleted; one that is over stays as it is.
-- Parameters: $1 its number.
-- Locks: the row.
with ended as (
    update shift set ends_at = now()
    where shift_id = $1 and starts_at < now() and (ends_at is null or ends_at > now())
    returning shift_id
), deleted as (
    delete from shift where shift_id = $1 and starts_at >= now() returning shift_id
)
select shift_id from shift where shift_id = $1
