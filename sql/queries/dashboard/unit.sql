-- dashboard.unit
-- Purpose: the organisation units that have a name, in the order of their names: what the filter of a list offers.
-- Parameters: $1 most rows.
-- Locks: none.
select org_id, name
from dashboard.org_unit
where name is not null
order by name collate dashboard.by_name, org_id
limit $1
