-- backfill.begin
-- Purpose: starts or continues the import of a file; returns how far it is.
-- Parameters: $1 SHA-256 of the file, $2 its size in bytes.
-- Locks: the row.
insert into vitals.backfill as b (file_hash, file_bytes)
values ($1::text, $2::bigint)
on conflict (file_hash) do update set advanced_at = b.advanced_at
returning backfill_id, offset_bytes, lines, stored, duplicate, rejected, ended_at is not null as ended
