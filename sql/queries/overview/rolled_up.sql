-- overview.rolled_up
-- Purpose: whether the rollups contain every row: rows of health_data, and samples of all days. Reads every row.
-- Locks: none.
select
    (select count(*) from health_data)                              as rows,
    (select coalesce(sum(samples), 0)::bigint from health_daily)    as samples
