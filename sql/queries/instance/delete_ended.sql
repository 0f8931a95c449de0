-- instance.delete_ended
-- Purpose: deletes the rows of instances that have ended, unless one has written a heartbeat.
-- Parameters: $1 for how many seconds an instance counts after its last heartbeat, $2 the random ids of the instances.
-- Locks: the rows.
delete from vitals.instance
where instance_id = any($2::uuid[]) and last_seen_at <= now() - make_interval(secs => $1::float8)
