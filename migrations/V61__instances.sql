-- Upgrades without a stop: which instances run, of which program, and which programs the schema serves. `vitals migrate --contract`
-- refuses while an older program writes heartbeats.
-- Phase: expand
-- Locks: vitals.schema_state, for a moment.

create table vitals.instance (
    instance_id     uuid        not null,
    name            text        not null,
    program_version text        not null,
    oldest_schema   integer     not null,
    head            integer     not null,
    started_at      timestamptz not null default now(),
    last_seen_at    timestamptz not null default now(),
    constraint instance_pkey primary key (instance_id)
);

comment on table vitals.instance is 'Processes that run: instances of the service and long imports. Each writes a heartbeat every few seconds.';
comment on column vitals.instance.instance_id     is 'Random id of the process.';
comment on column vitals.instance.name            is 'Setting instance of the process.';
comment on column vitals.instance.program_version is 'Version of its program, such as 0.2.0.';
comment on column vitals.instance.oldest_schema   is 'The oldest schema that its program runs with, as the number of a migration.';
comment on column vitals.instance.head            is 'The newest migration that its program has. A later one that contracts the schema waits until the process has ended.';
comment on column vitals.instance.started_at      is 'When it started.';
comment on column vitals.instance.last_seen_at    is 'Its last heartbeat.';

-- The defaults are those of a program that does not write these columns yet.
alter table vitals.schema_state
    add column program_version text    not null default '0.1.0',
    add column head            integer not null default 0,
    add column oldest_program  integer not null default 0;

comment on column vitals.schema_state.program_hash    is 'SHA-256 of the texts of functions, rollups and roles in the program that applied them.';
comment on column vitals.schema_state.program_version is 'Version of that program. An older program starts if oldest_program allows it.';
comment on column vitals.schema_state.head            is 'The newest migration that this program has, also if it is not applied yet.';
comment on column vitals.schema_state.oldest_program  is 'The oldest program that works with the schema, as the newest migration that it has: the last applied migration that contracts. 0: no migration contracted.';

drop function if exists vitals.record_schema(text, boolean);
