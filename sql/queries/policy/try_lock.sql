-- policy.try_lock
-- Purpose: makes this session the only one that applies policies by the clock; false: another instance does. The lock ends with the
-- session. It is used on the Community edition too, where a job of TimescaleDB does the same: the scheduler may be down, or every job
-- may end with an error.
-- Locks: an advisory lock of the session.
select pg_try_advisory_lock(hashtextextended('vitals.policy.turn', 0)) as taken
