-- session.terminate_abandoned
-- Purpose: ends the server's side of connections that this process gave up while they were at work. One whose commit waits for
-- a standby would not notice by itself that nobody is there any more.
-- Parameters, arrays of one length: $1 process numbers, $2 when each began, so that a later process of that number is left alone.
-- Locks: none.
select pg_terminate_backend(pid)
from pg_stat_activity
where (pid, backend_start) in (select pid, started_at from unnest($1::integer[], $2::timestamptz[]) as given_up (pid, started_at))
