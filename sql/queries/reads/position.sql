-- reads.position
-- Purpose: how far the log of the primary is written, bytes: a standby that has replayed as much has everything that was committed before.
-- Locks: none.
select (pg_current_wal_insert_lsn() - '0/0'::pg_lsn)::bigint as lsn
