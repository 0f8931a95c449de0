-- The name of this database among several that share the tenants (cells): a column of every view of schema dashboard, so that a
-- database of foreign tables (sql/federation/) knows where a row is from, and asks one cell only where a query names it.
-- Locks: none that anybody waits for.

create table vitals.cell (
    only_row boolean not null default true,
    name     text    not null default 'main',
    constraint cell_pkey primary key (only_row),
    constraint cell_only_row_check check (only_row),
    constraint cell_name_check check (name ~ '^[a-z][a-z0-9_]{0,30}$')
);

comment on table vitals.cell is 'One row: the name of this database among several that share the tenants.';
comment on column vitals.cell.only_row is 'True: there is one row.';
comment on column vitals.cell.name     is 'Name of this cell: lower-case letters, digits and _, at most 31.';

insert into vitals.cell default values;
