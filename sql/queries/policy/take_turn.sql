-- policy.take_turn
-- Purpose: whether this session is the one that applies policies by the clock: TimescaleDB does not, and no other instance
-- is at it. The lock goes with the session.
-- Locks: an advisory lock of the session.
select vitals.edition() = 'apache' and pg_try_advisory_lock(hashtextextended('vitals.policy.turn', 0)) as taken
