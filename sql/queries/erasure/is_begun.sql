-- erasure.is_begun
-- Purpose: whether an erasure of the subject was broken off and would go on. To be rolled back: it begins one where there is none.
-- Parameters: $1 kind, $2 serial or user id.
-- Locks: the new row, until then.
with known as materialized (select coalesce(max(erasure_id), 0) as last from erasure)
select vitals.begin_erasure($1::text, $2::text) <= known.last from known
