-- rollups.recorded
-- Purpose: what rollups there are, what they were made from, and the version of TimescaleDB.
-- Locks: none.
select name, time_zone, definition, kept_by, (select extversion from pg_extension where extname = 'timescaledb') as timescaledb
from vitals.rollup
order by position
