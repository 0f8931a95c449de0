-- session.process
-- Purpose: the server process that answers, and a setting that the service asks for when it connects.
-- Locks: none.
select pg_backend_pid() as pid, current_setting('client_connection_check_interval', true) as check_interval
