-- rollups.settle
-- Purpose: what the rollups need besides themselves: triggers and keys, comments, the jobs that follow policy.
-- Locks: health_data and the tables of the rollups against writers where a trigger or a key is missing; comments of the
-- rollups; the rows of the jobs.
select vitals.watch_changes_by_hand(), vitals.add_rollup_keys(), vitals.comment_rollups(), vitals.sync_policies()
