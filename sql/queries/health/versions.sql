-- health.versions
-- Purpose: the versions of PostgreSQL (such as 170012) and of TimescaleDB in this database (such as '2.29.2').
-- Locks: none.
select
    current_setting('server_version_num')::integer as postgres,
    (select extversion from pg_extension where extname = 'timescaledb') as timescaledb
