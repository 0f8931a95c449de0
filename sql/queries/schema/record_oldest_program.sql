-- schema.record_oldest_program
-- Purpose: records which programs the schema serves, before the last transaction of a migrate, or before a file that contracts outside of a
-- transaction. No row: none was served so far.
-- Parameters: $1 the oldest program that works with the schema, as its newest migration.
-- Locks: the row.
update vitals.schema_state set oldest_program = greatest(oldest_program, $1::integer)
