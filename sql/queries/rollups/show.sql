-- rollups.show
-- Purpose: makes or replaces the views dashboards read the rollups by.
-- Locks: the views whole, until commit.
select vitals.create_dashboard_rollups()
