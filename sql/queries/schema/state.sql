-- schema.state
-- Purpose: the hash of the texts of functions, views and grants that were applied last; no row: none were applied.
-- Locks: none.
select program_hash
from vitals.schema_state
-- The functions that compare the rest may have been dropped by hand.
where to_regprocedure('vitals.schema_changes()') is not null and to_regprocedure('vitals.schema_objects()') is not null
