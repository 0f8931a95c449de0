-- rollups.settle
-- Purpose: what the rollups need besides themselves: tables of today's layout, triggers and keys, comments, the jobs that
-- follow policy.
-- Locks: refreshes, where a table is of another layout; health_data and the tables of the rollups against writers where a
-- trigger or a key is missing; comments of the rollups; the rows of the jobs.
select
    vitals.narrow_rollups(), vitals.watch_changes_by_hand(), vitals.add_rollup_keys(), vitals.comment_rollups(),
    vitals.sync_policies()
