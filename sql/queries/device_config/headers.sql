-- device_config.headers
-- Purpose: the Authorization values that device configurations contain, to check that each works and has no more rights than it needs.
-- Locks: none.
select customer_id, name, auth_header
from device_config_interface
where enabled and auth_header <> ''
order by customer_id, name
