-- outbox.evaluate_slice
-- Evaluates alerts for the next devices of a sliced batch in one transaction. held is false when the lease was lost and nothing was
-- done; finished: none is left, and the outbox row is deleted; notified: there are new rows of notification; alert_seconds: how long
-- the rules took.
--   $1 token    $2 batch_id    $3 most devices    $4 most rows, about
-- Locks: see sql/functions/slice_batch.sql.
select held, finished, notified, alert_seconds from vitals.evaluate_slice($1::uuid, $2, $3, $4)
