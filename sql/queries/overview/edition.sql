-- overview.edition
-- Purpose: the versions of PostgreSQL and TimescaleDB, and the edition: `apache` or `timescale` (the Community edition).
-- Locks: none.
select
    split_part(current_setting('server_version'), ' ', 1)               as postgres,
    (select extversion from pg_extension where extname = 'timescaledb') as timescaledb,
    current_setting('timescaledb.license', true)                        as license
