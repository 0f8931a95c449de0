-- batch.announce
-- Purpose: the outbox row of the running transaction, written before its rows; tells the transaction's number and start.
-- Parameters: $1 oldest and $2 newest event time of the batch, rows offered: $3 readings, $4 events, $5 device information,
-- $6 its traceparent (NULL: it is not traced), $7 it holds an urgent event.
-- Locks: one new row of outbox.
insert into outbox (first_ts, last_ts, rows, events, device_infos, traceparent, urgent)
values ($1::timestamptz, $2::timestamptz, $3::integer, $4::integer, $5::integer, $6::text, $7::boolean)
returning batch_id, now() as began_at
