-- rollups.refresh
-- Purpose: brings all rollups up to date; with a range, computes that range again.
-- Parameters: $1 from and $2 to, or both NULL.
-- Locks: none that readers or writers of health_data wait for. It commits several times.
call public.refresh_rollups($1::timestamptz, $2::timestamptz)
