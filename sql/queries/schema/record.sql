-- schema.record
-- Purpose: records functions, views and grants at the end of a migrate.
-- Parameters: $1 SHA-256 of the texts of the program, $2 whether migrations were applied.
-- Locks: the recorded rows.
select vitals.record_schema($1::text, $2::boolean)
