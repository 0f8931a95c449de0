-- Asks the next refresh to compute a range of the rollups again, whether or not a change is known there. It is for roles that do not
-- own the rollups (vitals_dba). The next refresh starts at most policy.refresh_every later.
-- Parameters: the range; its end is exclusive. Locks: a new row.
create or replace function public.request_refresh(from_ts timestamptz, to_ts timestamptz) returns void
language sql
security definer
set search_path = pg_catalog, pg_temp
as $$
    insert into vitals.refresh_request (from_ts, to_ts) values (from_ts, to_ts)
$$;
comment on function public.request_refresh(timestamptz, timestamptz) is 'Asks the next refresh of the rollups to compute a range again.';
revoke execute on function public.request_refresh(timestamptz, timestamptz) from public;
