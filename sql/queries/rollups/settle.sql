-- rollups.settle
-- Purpose: comments of the rollups, and the job that refreshes them, as the policy has it.
-- Locks: comments of the rollups; the row of the job.
select vitals.comment_rollups(), vitals.schedule_rollups()
