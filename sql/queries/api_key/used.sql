-- api_key.used
-- Purpose: when keys were last used. Said once a minute at most.
-- Parameters: $1 key_ids.
-- Locks: the rows, of nobody's but other instances that say the same.
update api_key
set last_used_at = now()
where key_id = any ($1::text[])
