-- schema.changes
-- Purpose: functions, views and grants that were changed since they were recorded.
-- Locks: none.
select kind, name, change from vitals.schema_changes()
