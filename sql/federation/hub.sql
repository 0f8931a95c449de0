-- A database of foreign tables over several cells (databases of vitals): the rollups, devices, latest values, alerts and nights of all
-- of them, in schema dashboard under the names they have in each. A query with cell = 'north' asks that cell alone. Conditions, such as
-- time ranges, and aggregates grouped by cell are computed in the cells, all cells at the same time. PostgreSQL does not send now() to
-- another server: a condition with it is `bucket >= (select now() - interval '7 days')`.
--
--   createdb vitals_hub && psql -d vitals_hub -f sql/federation/hub.sql
--   select federation.add_cell('north', 'host=10.0.1.5 dbname=vitals sslmode=verify-full', 'clinic_board', '…');
--
-- In each cell beforehand: update vitals.cell set name = 'north', and a login that is a member of vitals_dashboard and bound to the
-- tenants that the hub may show (sql/roles/vitals_dashboard.sql). Whoever may read schema dashboard of the hub sees all of them: rights
-- within a tenant are not looked at again here.
--
-- Needs PostgreSQL 15 or later, and its extension postgres_fdw; TimescaleDB is not needed. May be run again.
-- Locks: the catalogue, for a moment. Rights: whoever runs it owns the foreign tables; creating extensions takes a superuser.

begin;
create extension if not exists postgres_fdw;
create schema if not exists federation;
create schema if not exists dashboard;
comment on schema federation is 'vitals: the cells whose tables schema dashboard shows together.';
comment on schema dashboard is 'vitals: tables of all cells, with the names and columns they have in each.';

-- Relations that a hub shows.
create or replace function federation.relations() returns name[]
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
    select array[
        'health_15m', 'health_hourly', 'health_daily', 'health_weekly', 'health_monthly', 'device', 'latest', 'alert', 'sleep_night'
    ]::name[]
$$;
comment on function federation.relations() is 'The relations of schema dashboard that a hub shows.';

-- Adds a cell, or changes how it is reached.
--   cell         its name, as vitals.cell in it says
--   connection   how to reach it: parameters of libpq, without user and password
--   login        a login there, which is a member of vitals_dashboard
--   password     its password; NULL: it needs none
-- Locks: the foreign tables, for a moment. The cell must be up.
create or replace function federation.add_cell(cell text, connection text, login text, password text default null) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    server  constant name := 'cell_' || add_cell.cell;
    option  record;
    options text := '';
    told    text;
begin
    if add_cell.cell !~ '^[a-z][a-z0-9_]{0,30}$' then
        raise exception 'the name of a cell has lower-case letters, digits and _, at most 31, not "%"', add_cell.cell
            using errcode = 'invalid_parameter_value';
    end if;
    perform federation.drop_cell(add_cell.cell);
    for option in
        select m[1] as name, coalesce(m[2], m[3]) as value
        from regexp_matches(add_cell.connection, '([a-z_]+)\s*=\s*(?:''([^'']*)''|(\S+))', 'g') as m
    loop
        options := options || format('%I %L, ', option.name, option.value);
    end loop;
    -- Without estimates of the cell: they would make aggregates of few rows be computed here.
    execute format(
        'create server %I foreign data wrapper postgres_fdw options '
        '(%s fetch_size ''10000'', async_capable ''true'', application_name ''vitals_hub'')',
        server, options
    );
    execute format(
        'create user mapping for public server %I options (user %L%s)', server, add_cell.login,
        case when add_cell.password is null then ', password_required ''false''' else format(', password %L', add_cell.password) end
    );
    execute format('create schema %I', server);
    execute format(
        'import foreign schema dashboard limit to (clock, %s) from server %I into %I',
        (select string_agg(quote_ident(r), ', ') from unnest(federation.relations()) as r), server, server
    );
    execute format('select c.cell from %I.clock as c', server) into told;
    if told is distinct from add_cell.cell then
        raise exception 'the database says that it is cell "%", not "%": update vitals.cell set name = %', told, add_cell.cell,
            quote_literal(add_cell.cell) using errcode = 'invalid_parameter_value';
    end if;
    perform federation.attach(server, add_cell.cell);
end
$$;
comment on function federation.add_cell(text, text, text, text) is 'Adds a cell to the hub, or changes how it is reached.';

-- Makes the foreign tables of a server partitions of those in schema dashboard. The first cell decides which columns these have;
-- columns that a later cell has in addition are left out.
create or replace function federation.attach(server name, cell text) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    relation name;
    surplus  record;
begin
    foreach relation in array federation.relations() loop
        if to_regclass(format('dashboard.%I', relation)) is null then
            execute format('create table dashboard.%1$I (like %2$I.%1$I including comments) partition by list (cell)', relation, server);
        end if;
        for surplus in
            select a.attname from pg_attribute as a
            where a.attrelid = format('%I.%I', server, relation)::regclass and a.attnum > 0 and not a.attisdropped
              and not exists (
                  select from pg_attribute as p
                  where p.attrelid = format('dashboard.%I', relation)::regclass and p.attname = a.attname and not p.attisdropped
              )
        loop
            execute format('alter foreign table %I.%I drop column %I', server, relation, surplus.attname);
        end loop;
        execute format('alter table dashboard.%1$I attach partition %2$I.%1$I for values in (%3$L)', relation, server, attach.cell);
    end loop;
end
$$;
comment on function federation.attach(name, text) is 'Makes the foreign tables of a cell partitions of those in schema dashboard.';

-- Removes a cell from the hub; the cell itself is not touched. Nothing happens where there is none of that name.
create or replace function federation.drop_cell(cell text) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    execute format('drop schema if exists %I cascade', 'cell_' || drop_cell.cell);
    execute format('drop server if exists %I cascade', 'cell_' || drop_cell.cell);
end
$$;
comment on function federation.drop_cell(text) is 'Removes a cell from the hub.';

-- The cells, and how each is reached.
create or replace view federation.cell as
select substr(s.srvname, 6) as cell, o.options as connection
from pg_catalog.pg_foreign_server as s
cross join lateral (
    select string_agg(x.option_name || '=' || x.option_value, ' ') filter (
        where x.option_name not in ('fetch_size', 'async_capable', 'application_name')
    ) as options
    from pg_options_to_table(s.srvoptions) as x
) as o
where s.srvname like 'cell\_%';
comment on view federation.cell is 'The cells whose tables schema dashboard shows.';

do $$
begin
    -- Aggregates grouped by cell run in the cells.
    execute format('alter database %I set enable_partitionwise_aggregate = on', current_database());
end
$$;
commit;
