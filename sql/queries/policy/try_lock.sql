-- policy.try_lock
-- Purpose: whether this session is the one that applies policies by the clock: no other instance is at it. The lock goes with the
-- session. Also where TimescaleDB has jobs that do the same: its scheduler may be dead, or every job end in an error.
-- Locks: an advisory lock of the session.
select pg_try_advisory_lock(hashtextextended('vitals.policy.turn', 0)) as taken
