-- clock.now
-- Purpose: the time of the database, which all instances of the service use.
-- Locks: none.
select clock_timestamp()
