-- erasure.step
-- Purpose: runs one step of an erasure; returns the number of deleted rows.
-- Parameters: $1 number of the erasure (NULL: only count), $2 kind, $3 serial or user id, $4 relation, $5 from, $6 to.
-- Locks: the rows; for raw rows and rollups, refreshes wait.
select vitals.erase_step($1::bigint, $2::text, $3::text, $4::text, $5::timestamptz, $6::timestamptz)
