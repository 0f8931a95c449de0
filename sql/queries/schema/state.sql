-- schema.state
-- Purpose: which texts of functions, views and grants were applied last; no row: none were.
-- Locks: none.
select program_hash
from vitals.schema_state
-- What compares the rest may have been dropped by hand.
where to_regprocedure('vitals.schema_changes()') is not null and to_regprocedure('vitals.schema_objects()') is not null
