-- health.timescaledb
-- Purpose: whether TimescaleDB is installed in this database, and whether the server offers it. Works before the first migrate.
-- Locks: none.
select
    exists (select from pg_extension where extname = 'timescaledb') as is_there,
    exists (select from pg_available_extensions where name = 'timescaledb') as is_installed
