-- job.watched
-- Purpose: the jobs of TimescaleDB that something of ours depends on, with what is wrong with each; those first that need somebody.
-- Locks: none.
select job_id, job, state, seconds, failures, words from vitals.watched_jobs()
