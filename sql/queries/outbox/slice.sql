-- outbox.slice
-- Lists the devices of a claimed batch, so that its alerts are evaluated in slices, and ends the lease; held is false when the lease
-- was lost and nothing was done.
--   $1 token    $2 batch_id    $3 its devices, NULL: to be looked up    $4, $5 their time range, NULL: no rows
--   $6 Redis did not get the latest values
-- Locks: see sql/functions/slice_batch.sql.
select vitals.slice_batch($1::uuid, $2, $3, $4, $5, $6) as held
