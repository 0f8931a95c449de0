-- rollups.extend
-- Purpose: adds the columns that the new SELECT of a rollup has behind the existing ones.
-- Parameters: $1 name, $2 definition, $3 names and $4 expressions of the added columns.
-- Locks: refreshes; the rollup and its table exclusively, until commit.
select vitals.extend_rollup($1::text, $2::text, $3::text[], $4::text[])
