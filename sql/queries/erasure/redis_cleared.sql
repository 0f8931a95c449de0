-- erasure.redis_cleared
-- Purpose: Redis has followed; the receipt names no device any more. Others may have worn a user's devices since: what Redis shows
-- of them is made anew.
-- Parameters: $1 number of the erasure.
-- Locks: the rows.
with receipt as (
    update erasure set forgotten_at = clock_timestamp(), pending = null where erasure_id = $1::bigint
    returning kind
)
update vitals.latest_view set generation = generation + 1
where exists (select from receipt where kind = 'user')
