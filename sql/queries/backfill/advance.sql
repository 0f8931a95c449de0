-- backfill.advance
-- Purpose: records the outcome of some lines in their transaction. It returns no row if another process has imported from the same file.
-- Parameters: $1 number, $2 offset before, $3 offset after; additions to the counts: $4 lines, $5 stored, $6 duplicate, $7 rejected.
-- Locks: the row, until commit.
update vitals.backfill
set offset_bytes = $3::bigint, lines = lines + $4::bigint, stored = stored + $5::bigint, duplicate = duplicate + $6::bigint,
    rejected = rejected + $7::bigint, advanced_at = clock_timestamp(),
    ended_at = case when $3::bigint = file_bytes then clock_timestamp() end
where backfill_id = $1::bigint and offset_bytes = $2::bigint
returning backfill_id
