-- clock.now
-- Purpose: the time, for all instances of the service.
-- Locks: none.
select clock_timestamp()
