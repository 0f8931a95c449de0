-- rollups.status
-- Purpose: how far each rollup is, for an operator.
-- Result: pending is what waits for a refresh: marks of vitals.rollup_dirty, or entries of TimescaleDB's own log.
-- Locks: none.
select
    r.name,
    r.time_zone,
    r.kept_by,
    nullif(vitals.rollup_watermark(r), '-infinity') as watermark,
    case
        when r.kept_by = 'vitals' then (select count(*) from vitals.rollup_dirty)
        else (
            select count(*)
            from _timescaledb_catalog.continuous_aggs_hypertable_invalidation_log as l
            join _timescaledb_catalog.continuous_agg as c on c.raw_hypertable_id = l.hypertable_id
            where c.user_view_schema = 'public' and c.user_view_name = r.name
        )
    end as pending,
    r.refreshed_at
from vitals.rollup as r
order by r.position
