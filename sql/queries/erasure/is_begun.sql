-- erasure.is_begun
-- Purpose: whether there is an interrupted erasure of the subject, which an erasure would continue. The caller rolls back, because the
-- statement starts an erasure if there is none.
-- Parameters: $1 kind, $2 serial or user id.
-- Locks: the new row, until the rollback.
with known as materialized (select coalesce(max(erasure_id), 0) as last from erasure)
select vitals.begin_erasure($1::text, $2::text) <= known.last from known
