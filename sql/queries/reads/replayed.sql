-- reads.replayed
-- Purpose: how far a standby has replayed the log, bytes, to compare with reads.position; NULL if the server is no standby.
-- Locks: none.
select case when pg_is_in_recovery() then (pg_last_wal_replay_lsn() - '0/0'::pg_lsn)::bigint end as lsn
