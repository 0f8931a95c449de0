-- notification.resend
-- Dead letters are tried again from the first attempt on, under their number: a receiver that has it after all can fold.
--   $1 their numbers, NULL: all
-- Locks: the rows.
update notification
set status = 'pending', attempts = 0, due_at = clock_timestamp()
where status = 'dead' and ($1::bigint[] is null or notification_id = any ($1))
