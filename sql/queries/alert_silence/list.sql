-- alert_silence.list
-- Purpose: silences as JSON, in descending order of their end.
-- Parameters: $1 whether to include ended ones; $2 most rows; NULL for "any": $3 tenant, $4 organisation unit (with its
-- sub-units).
-- Locks: none.
select to_jsonb(silence) as silence
from alert_silence silence
where ($1 or ends_at > now())
  and ($3::bigint is null or customer_id = $3)
  and ($4::bigint is null or org_id = $4 or org_id in (select org_id from org_unit where $4 = any (ancestors)))
order by ends_at desc, silence_id desc
limit $2
