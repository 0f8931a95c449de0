-- overview.edition
-- Purpose: which PostgreSQL and which TimescaleDB serve; `apache` or `timescale` (the Community edition).
-- Locks: none.
select
    split_part(current_setting('server_version'), ' ', 1)               as postgres,
    (select extversion from pg_extension where extname = 'timescaledb') as timescaledb,
    current_setting('timescaledb.license', true)                        as license
