-- device_clock.count
-- Purpose: how many devices have a clock that is off. Reads a partial index of the few whose clock is off at all.
-- Parameters: $1 seconds beyond which a clock is off.
-- Locks: none.
select count(*) as devices from device where clock_offset_seconds is not null and abs(clock_offset_seconds) > $1::bigint
