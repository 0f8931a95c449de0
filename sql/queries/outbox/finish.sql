-- outbox.finish
-- Evaluates alerts for prepared batches and deletes their rows, in one transaction: held is false when the lease was lost and nothing was
-- done; notified: there are new rows of notification; alert_seconds: how long the rules took.
--   $1 token    $2 batch_ids    $3 their devices and maybe more, NULL: to be looked up    $4, $5 their time range, NULL: no rows
-- Locks: see sql/functions/finish_batches.sql.
select held, notified, alert_seconds from vitals.finish_batches($1::uuid, $2, $3, $4, $5)
