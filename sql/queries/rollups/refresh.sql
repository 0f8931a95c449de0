-- rollups.refresh
-- Purpose: brings all rollups up to date; computes the range anew where one is given.
-- Parameters: $1 from and $2 to, or both NULL.
-- Locks: none that readers, or writers of health_data, wait for. Commits as it goes.
call public.refresh_rollups($1::timestamptz, $2::timestamptz)
