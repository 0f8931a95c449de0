-- alert_silence.stop
-- Purpose: ends a silence now. A silence that has not begun is deleted; an ended one stays as it is.
-- Parameters: $1 its number.
-- Locks: the row.
with stopped as (
    update alert_silence set ends_at = now()
    where silence_id = $1 and starts_at < now() and ends_at > now()
    returning silence_id
), undone as (
    delete from alert_silence where silence_id = $1 and starts_at >= now() returning silence_id
)
select silence_id from alert_silence where silence_id = $1
