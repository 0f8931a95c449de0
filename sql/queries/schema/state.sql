-- schema.state
-- Purpose: the hash of the functions, views and grants that were applied last; no row: none were applied.
-- Locks: none.
select program_hash
from vitals.schema_state
-- Somebody may have dropped the functions that compare the rest.
where to_regprocedure('vitals.schema_changes()') is not null and to_regprocedure('vitals.schema_objects()') is not null
