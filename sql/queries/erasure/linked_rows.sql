-- erasure.linked_rows
-- Purpose: the last step of an erasure in the database; returns the number of deleted rows by table.
-- Parameters: $1 number of the erasure (NULL: only count), $2 kind, $3 serial or user id.
-- Locks: the row of vitals.directory, until commit; the rows.
select relation, taken from vitals.erase_linked_rows($1::bigint, $2::text, $3::text)
