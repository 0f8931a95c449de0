-- rollups.refresh_every
-- Purpose: how often the rollups want to be refreshed, seconds: the shortest of their policies.
-- Locks: none.
select extract(epoch from min(p.refresh_every))::float8 as every_seconds
from vitals.rollup as r
join policy as p on p.relation = r.name
