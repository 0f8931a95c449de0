-- erasure.redis_cleared
-- Purpose: records that Redis is cleared and that nothing of before is left in the buffer; the receipt names no device any more. Another
-- person may wear a device of the user by now, so the values of the devices in Redis are rebuilt.
-- Parameters: $1 number of the erasure.
-- Locks: the rows.
with receipt as (
    update erasure set forgotten_at = clock_timestamp(), pending = null where erasure_id = $1::bigint
    returning kind
), spans as (
    -- Also of those that a program without this table has finished.
    delete from vitals.erased_span as s using erasure as e
    where e.erasure_id = s.erasure_id and (e.erasure_id = $1::bigint or e.forgotten_at is not null)
)
update vitals.latest_view set generation = generation + 1
where exists (select from receipt where kind = 'user')
