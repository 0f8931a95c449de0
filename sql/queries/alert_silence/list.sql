-- alert_silence.list
-- Purpose: silences, those that end last first, as JSON.
-- Parameters: $1 those that are over, too; $2 how many at most.
-- Locks: none.
select to_jsonb(silence) as silence
from alert_silence silence
where $1 or ends_at > now()
order by ends_at desc, silence_id desc
limit $2
