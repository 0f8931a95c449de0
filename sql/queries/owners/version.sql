-- owners.version
-- Purpose: at which version the directory is, for a listener that has just begun to listen.
-- Locks: none.
select directory_id::text as directory_id, version from vitals.directory
