-- rollups.settle
-- Purpose: comments of the rollups, and the jobs that follow policy.
-- Locks: comments of the rollups; the rows of the jobs.
select vitals.comment_rollups(), vitals.sync_policies()
