-- device_config.headers
-- Purpose: what watches are told to send as Authorization, to see whether it does, and no more than it should.
-- Locks: none.
select customer_id, name, auth_header
from device_config_interface
where enabled and auth_header <> ''
order by customer_id, name
