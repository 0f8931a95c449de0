-- schema.changes
-- Purpose: functions, views and grants that differ from what was recorded.
-- Locks: none.
select kind, name, change from vitals.schema_changes()
