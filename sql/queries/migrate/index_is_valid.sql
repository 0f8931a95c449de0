-- migrate.index_is_valid
-- Purpose: whether an index is valid; no row: there is none. A build that was interrupted leaves an invalid one.
-- Parameters: $1 its name, with its schema.
-- Locks: none.
select indisvalid from pg_index where indexrelid = to_regclass($1::text)
