-- overview.days
-- Purpose: the latest days of a device that have samples, from the rollup, newest first.
-- Parameters: $1 device_sn, $2 most rows.
-- Locks: none.
select
    bucket,
    samples::bigint                  as samples,
    heart_rate_min::integer          as heart_rate_min,
    heart_rate_avg::double precision as heart_rate_avg,
    heart_rate_max::integer          as heart_rate_max,
    step_max::bigint                 as step_max
from health_daily
where device_sn = $1::text
order by bucket desc
limit $2::bigint
