-- rollups.status
-- Purpose: how far each rollup is, for an operator.
-- Result: pending is what waits for a refresh: marks of vitals.rollup_dirty, which all rollups share.
-- Locks: none.
select
    r.name,
    r.time_zone,
    r.kept_by,
    nullif(vitals.rollup_watermark(r), '-infinity') as watermark,
    (select count(*) from vitals.rollup_dirty) as pending,
    r.refreshed_at
from vitals.rollup as r
order by r.position
