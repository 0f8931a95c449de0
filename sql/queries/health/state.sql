-- health.state
-- Purpose: what of the database is seen without writing: whether it takes writes at all, has TimescaleDB, and lets the role
-- make the temporary tables that uploads go through.
-- Locks: none.
select
    current_setting('transaction_read_only')::boolean as is_read_only,
    exists (select from pg_extension where extname = 'timescaledb') as has_timescaledb,
    has_database_privilege(current_database(), 'temporary') as may_make_temporary_tables
