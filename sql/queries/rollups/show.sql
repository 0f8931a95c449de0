-- rollups.show
-- Purpose: creates or replaces the views of the rollups in schema dashboard.
-- Locks: the views exclusively, until commit.
select vitals.create_dashboard_rollups()
