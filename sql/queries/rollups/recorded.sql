-- rollups.recorded
-- Purpose: what rollups there are, and what they were made from.
-- Locks: none.
select name, time_zone, definition, kept_by
from vitals.rollup
order by position
