-- batch.announce
-- Purpose: the outbox row of the running transaction, written before its rows; tells the transaction's number.
-- Parameters: $1 oldest and $2 newest event time of the batch, $3 rows offered.
-- Locks: one new row of outbox.
insert into outbox (first_ts, last_ts, rows)
values ($1::timestamptz, $2::timestamptz, $3::integer)
returning batch_id
