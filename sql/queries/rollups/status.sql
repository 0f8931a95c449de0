-- rollups.status
-- Purpose: how far each rollup is materialised, for an operator.
-- Result: pending is the number of marks in vitals.rollup_dirty, which all rollups share.
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
