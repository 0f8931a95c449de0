-- alert_silence.stop
-- Purpose: ends a silence now. A silence that has not begun is deleted; an ended one stays as it is.
-- Parameters: $1 its number; NULL for "any": $2 tenant, $3 organisation unit (with its sub-units).
-- Locks: the row.
with found as (
    select silence_id from alert_silence
    where silence_id = $1
      and ($2::bigint is null or customer_id = $2)
      and ($3::bigint is null or org_id = $3 or org_id in (select org_id from org_unit where $3 = any (ancestors)))
), stopped as (
    update alert_silence set ends_at = now()
    where silence_id in (select silence_id from found) and starts_at < now() and ends_at > now()
    returning silence_id
), undone as (
    delete from alert_silence where silence_id in (select silence_id from found) and starts_at >= now() returning silence_id
)
select silence_id from found
