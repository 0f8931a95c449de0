-- api_key.used
-- Purpose: records when keys were last used; called at most once a minute.
-- Parameters: $1 key_ids.
-- Locks: the rows; only other instances that record the same key wait for them.
update api_key
set last_used_at = now()
where key_id = any ($1::text[])
