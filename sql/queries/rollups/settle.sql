-- rollups.settle
-- Purpose: comments of the rollups, the views dashboards read them by, and the job that refreshes them, as the policy has it.
-- Locks: comments of the rollups; the views, for a moment; the row of the job.
select vitals.comment_rollups(), vitals.create_dashboard_rollups(), vitals.schedule_rollups()
