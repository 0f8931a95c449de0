-- erasure.steps
-- Purpose: the steps of an erasure.
-- Parameters: $1 kind.
-- Locks: none.
select relation, from_ts, to_ts from vitals.erasure_steps($1::text)
