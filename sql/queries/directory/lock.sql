-- directory.lock
-- Purpose: one writer of the directory at a time, so that what is planned holds until it is done.
-- Locks: the row of vitals.directory.
select from vitals.directory for update
