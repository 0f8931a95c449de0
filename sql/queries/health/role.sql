-- health.role
-- Purpose: whether the server is a standby, whether it accepts writes, and how old the newest transaction is that a standby has
-- replayed (NULL: it has replayed none since it started, or it is no standby).
-- Locks: none.
select
    pg_is_in_recovery() as is_standby,
    current_setting('transaction_read_only')::boolean as is_read_only,
    extract(epoch from clock_timestamp() - pg_last_xact_replay_timestamp())::double precision as replayed_seconds_ago
