-- session.terminate_abandoned
-- Purpose: terminates the server processes of abandoned connections. A process whose commit waits for a standby does not notice by
-- itself that its client is gone.
-- Parameters, arrays of the same length: $1 process numbers, $2 their starts, so that a later process with the same number is not terminated.
-- Locks: none.
select pg_terminate_backend(pid)
from pg_stat_activity
where (pid, backend_start) in (select pid, started_at from unnest($1::integer[], $2::timestamptz[]) as given_up (pid, started_at))
