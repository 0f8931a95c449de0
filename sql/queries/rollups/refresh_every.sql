-- rollups.refresh_every
-- Purpose: the interval of refreshes in seconds: the shortest of the policies of the rollups.
-- Locks: none.
select extract(epoch from min(p.refresh_every))::float8 as every_seconds
from vitals.rollup as r
join policy as p on p.relation = r.name
