-- notification_route.remove
-- Purpose: deletes a route, with its steps. What it has added to notification stays.
-- Parameters: $1 number of the route.
-- Locks: the row.
delete from notification_route where route_id = $1 returning route_id
