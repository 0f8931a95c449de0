-- rollups.try_lock
-- Purpose: makes this session the only one that refreshes the rollups by the clock; false: another one does. The lock ends with the session.
-- Locks: an advisory lock of the session.
select pg_try_advisory_lock(hashtextextended('vitals.rollup.turn', 0)) as taken
