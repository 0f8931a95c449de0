-- stream.changed_alerts
-- Purpose: alerts that were changed in the last five minutes, and when; the caller leaves out what it has read before. No transaction
-- that changes an alert stays open for as long.
-- Locks: none.
select a.alert_id, a.updated_at
from alert as a
where a.status <> 'resolved' and a.updated_at > now() - interval '5 minutes'
union all
select a.alert_id, a.updated_at
from alert as a
where a.status = 'resolved' and a.resolved_at > now() - interval '5 minutes'
