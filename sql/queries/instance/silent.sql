-- instance.silent
-- Purpose: instances of older programs whose last heartbeat is too old for them to count.
-- Parameters: $1 for how many seconds an instance counts after its last heartbeat, $2 a migration that the older programs do not have.
-- Locks: none.
select instance_id
from vitals.instance
where last_seen_at <= now() - make_interval(secs => $1::float8) and head < $2::integer
