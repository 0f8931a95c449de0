-- job.watched
-- Purpose: the jobs of TimescaleDB that the service depends on, with their state; those that are not ok come first.
-- Locks: none.
select job_id, job, state, seconds, failures, words from vitals.watched_jobs()
