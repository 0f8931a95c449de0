-- owners.version
-- Purpose: the version of the directory, for a listener that has just started to listen.
-- Locks: none.
select directory_id::text as directory_id, version from vitals.directory
