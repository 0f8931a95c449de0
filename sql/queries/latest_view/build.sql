-- latest_view.build
-- Purpose: the number of the build of the Redis view that is valid.
-- Locks: none.
select view_id || ' ' || generation as build from vitals.latest_view
