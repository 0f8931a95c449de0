-- rollups.edition
-- Purpose: the edition of TimescaleDB that the server runs: apache or community. Works before the first migrate.
-- Locks: none.
select case current_setting('timescaledb.license', true) when 'timescale' then 'community' else 'apache' end as edition
