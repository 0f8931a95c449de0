-- schema.state
-- Purpose: which program applied functions, views and grants last, and which programs the schema serves; no row: none were applied.
-- Locks: none.
select
    program_hash, program_version, head, oldest_program,
    -- Somebody may have dropped the functions that compare the rest.
    to_regprocedure('vitals.schema_changes()') is not null and to_regprocedure('vitals.schema_objects()') is not null as can_compare
from vitals.schema_state
