-- latest_view.build
-- Which build of the Redis view is good.
-- Locks: none.
select view_id || ' ' || generation as build from vitals.latest_view
