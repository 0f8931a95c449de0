-- health.state
-- Purpose: the properties of the database that can be checked without writing: whether it accepts writes, has TimescaleDB, and lets
-- the role create the temporary tables of uploads.
-- Locks: none.
select
    current_setting('transaction_read_only')::boolean as is_read_only,
    exists (select from pg_extension where extname = 'timescaledb') as has_timescaledb,
    has_database_privilege(current_database(), 'temporary') as may_make_temporary_tables
