-- accounting.add
-- Purpose: what became of the records of the running transaction.
-- Parameters: $1 instance, $2 shard, $3 received, $4 stored, $5 duplicate, $6 rejected (records).
-- Locks: none beyond the new row.
insert into vitals.ingest_batch (instance, shard, received, stored, duplicate, rejected)
values ($1::text, $2::smallint, $3::integer, $4::integer, $5::integer, $6::integer)
