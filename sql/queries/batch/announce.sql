-- batch.announce
-- Purpose: adds the outbox row of the running transaction before its rows; returns the number of the transaction and its start.
-- Parameters: $1 oldest and $2 newest event time of the batch; number of rows: $3 readings, $4 events, $5 device information;
-- $6 traceparent (NULL: not traced), $7 whether it has an urgent event, $8 partitions of its devices.
-- Locks: one new row of outbox.
insert into outbox (first_ts, last_ts, rows, events, device_infos, traceparent, urgent, partitions)
values ($1::timestamptz, $2::timestamptz, $3::integer, $4::integer, $5::integer, $6::text, $7::boolean, $8::bigint)
returning batch_id, now() as began_at
