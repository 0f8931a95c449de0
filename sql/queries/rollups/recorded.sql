-- rollups.recorded
-- Purpose: the existing rollups with their source, zone and definition, and the version of TimescaleDB.
-- Locks: none.
select name, time_zone, definition, kept_by, (select extversion from pg_extension where extname = 'timescaledb') as timescaledb
from vitals.rollup
order by position
