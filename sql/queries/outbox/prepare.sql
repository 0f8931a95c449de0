-- outbox.prepare
-- Does what claimed batches cause in the database apart from alerts: held is false when the lease was lost and nothing was done.
--   $1 token    $2 batch_ids    $3 their devices, NULL: to be looked up    $4, $5 their time range, NULL: no rows
--   $6 Redis was not told
-- Locks: see sql/functions/finish_batches.sql.
select vitals.prepare_batches($1::uuid, $2, $3, $4, $5, $6) as held
