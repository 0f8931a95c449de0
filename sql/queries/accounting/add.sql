-- accounting.add
-- Purpose: records the outcome of the records of one kind in the running transaction.
-- Parameters: $1 instance, $2 shard, $3 kind, $4 received, $5 stored, $6 duplicate, $7 rejected (records).
-- Locks: none except the new row.
insert into vitals.ingest_batch (instance, shard, kind, received, stored, duplicate, rejected)
values ($1::text, $2::smallint, $3::text, $4::integer, $5::integer, $6::integer, $7::integer)
