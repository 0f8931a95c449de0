-- rollups.settle
-- Purpose: comments of the rollups, the views dashboards read them by, and the jobs that follow policy.
-- Locks: comments of the rollups; the views, for a moment; the rows of the jobs.
select vitals.comment_rollups(), vitals.create_dashboard_rollups(), vitals.sync_policies()
