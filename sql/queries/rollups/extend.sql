-- rollups.extend
-- Purpose: gives a rollup the columns that its new SELECT has behind those of before.
-- Parameters: $1 name, $2 definition, $3 names and $4 expressions of the added columns.
-- Locks: refreshes; the rollup and what it is materialised in whole, until commit.
select vitals.extend_rollup($1::text, $2::text, $3::text[], $4::text[])
