-- directory.lock
-- Purpose: allows one writer of the directory at a time, so that a plan stays valid until it is carried out.
-- Locks: the row of vitals.directory.
select from vitals.directory for update
