-- Which edition of TimescaleDB the server runs: 'apache' has no continuous aggregates and no jobs, 'community' has.
-- Parameters: none. Locks: none.
create or replace function vitals.edition() returns text
language sql
stable
as $$
    select case current_setting('timescaledb.license', true) when 'timescale' then 'community' else 'apache' end
$$;
comment on function vitals.edition() is 'Edition of TimescaleDB: apache or community.';
