-- dashboards.personnel_online
-- Purpose: people whose device sent a sample within the last quarter hour, by organisation unit.
-- Parameters: none.
-- Reads: latest.
-- Cost: one look-up by key per device.
select org_name, user_id, user_name, max(ts) as last_ts, count(*) as devices
from dashboard.latest
where ts > now() - interval '15 minutes' and user_id is not null
group by org_name, user_id, user_name
order by org_name, user_name, user_id
