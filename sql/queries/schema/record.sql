-- schema.record
-- Purpose: records functions, views and grants at the end of a migrate.
-- Parameters: $1 SHA-256 of the texts of the program, $2 its version, $3 the newest migration that it has, $4 the oldest program that works
-- with the schema, as its newest migration, $5 whether migrations were applied.
-- Locks: the recorded rows.
select vitals.record_schema($1::text, $2::text, $3::integer, $4::integer, $5::boolean)
