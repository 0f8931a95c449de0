-- The edition of TimescaleDB that the server runs: 'apache' has no continuous aggregates and no jobs, 'community' has both.
-- Parameters: none. Locks: none.
create or replace function vitals.edition() returns text
language sql
stable
as $$
    select case current_setting('timescaledb.license', true) when 'timescale' then 'community' else 'apache' end
$$;
comment on function vitals.edition() is 'Edition of TimescaleDB: apache or community.';
