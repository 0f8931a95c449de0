-- rollups.settle
-- Purpose: brings everything around the rollups up to date: tables in an old layout, triggers and keys, comments, and the jobs that
-- policy controls.
-- Locks: refreshes, if a table has an old layout; health_data and the tables of the rollups against writers, if a trigger or a key is
-- missing; comments of the rollups; the rows of the jobs.
select
    vitals.narrow_rollups(), vitals.watch_changes_by_hand(), vitals.add_rollup_keys(), vitals.comment_rollups(),
    vitals.sync_policies()
