-- unknown_name.list
-- Purpose: names that the service does not know, the most frequent first.
-- Parameters: $1 kinds, $2 most rows.
-- Locks: none.
select kind, name, count, first_seen_at, last_seen_at, device_sn
from unknown_name
where kind = any($1::text[])
  and (kind <> 'event_type' or name in (select t.event_type from unknown_event_type as t))
order by count desc, kind, name
limit $2
