-- instance.running
-- Purpose: the instances that run, the oldest program first.
-- Parameters: $1 for how many seconds an instance counts after its last heartbeat.
-- Locks: none.
select
    name, program_version, oldest_schema, head,
    greatest(0, extract(epoch from now() - last_seen_at))::float8 as seconds
from vitals.instance
where last_seen_at > now() - make_interval(secs => $1::float8)
order by head, name
