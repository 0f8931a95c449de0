-- rollups.keeper
-- Purpose: who keeps the rollups (timescaledb or vitals), and how often they want to be refreshed, seconds.
-- Locks: none.
select max(r.kept_by) as kept_by, extract(epoch from min(p.refresh_every))::float8 as every_seconds
from vitals.rollup as r
join policy as p on p.relation = r.name
