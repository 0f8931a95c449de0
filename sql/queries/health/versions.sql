-- health.versions
-- Purpose: the versions of PostgreSQL (170012) and of TimescaleDB in this database ('2.29.2').
-- Locks: none.
select
    current_setting('server_version_num')::integer as postgres,
    (select extversion from pg_extension where extname = 'timescaledb') as timescaledb
