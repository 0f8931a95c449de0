-- alert_silence.list
-- Purpose: silences as JSON, in descending order of their end.
-- Parameters: $1 whether to include ended ones; $2 most rows.
-- Locks: none.
select to_jsonb(silence) as silence
from alert_silence silence
where $1 or ends_at > now()
order by ends_at desc, silence_id desc
limit $2
