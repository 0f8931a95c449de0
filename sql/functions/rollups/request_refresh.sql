-- Asks the next refresh to compute a range of the rollups anew, whether something is known to have changed there or not;
-- for those who are not the owner of the rollups (role vitals_dba). It comes at most policy.refresh_every later.
-- Parameters: the range, its end exclusive. Locks: a new row.
create or replace function public.request_refresh(from_ts timestamptz, to_ts timestamptz) returns void
language sql
security definer
set search_path = pg_catalog, pg_temp
as $$
    insert into vitals.refresh_request (from_ts, to_ts) values (from_ts, to_ts)
$$;
comment on function public.request_refresh(timestamptz, timestamptz) is 'Asks the next refresh of the rollups to compute a range anew.';
revoke execute on function public.request_refresh(timestamptz, timestamptz) from public;
