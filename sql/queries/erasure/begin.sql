-- erasure.begin
-- Purpose: starts an erasure, or continues an interrupted one.
-- Parameters: $1 kind, $2 serial or user id, $3 who requested it.
-- Locks: none except the new row.
select vitals.begin_erasure($1::text, $2::text)
from (select set_config('vitals.actor', $3::text, false)) as actor
