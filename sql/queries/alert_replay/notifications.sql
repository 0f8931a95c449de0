-- alert_replay.notifications
-- Purpose: how often whom a rule would have notified of its alerts of these devices.
-- Parameters: $1 the rule, a JSON object with all its columns, $2 serials, $3 from, $4 to (exclusive).
-- Locks: none; it changes nothing.
select
    contact, channel, address,
    count(*) filter (where kind = 'fired')     as fired,
    count(*) filter (where kind = 'raised')    as raised,
    count(*) filter (where kind = 'escalated') as escalated,
    count(*) filter (where kind = 'resolved')  as resolved
from vitals.replay_notifications(jsonb_populate_record(null::alert_rule, $1), $2, $3, $4)
group by 1, 2, 3
order by 1, 2, 3
