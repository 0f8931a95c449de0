-- rollups.try_lock
-- Purpose: makes this session the one that refreshes the rollups; false: another one is. The lock goes with the session.
-- Locks: an advisory lock of the session.
select pg_try_advisory_lock(hashtextextended('vitals.rollup.turn', 0)) as taken
