-- What the schema is made of, on record, so that a change by hand or a program of other functions is noticed; and receipts of
-- erasures under a random number instead of a hash, which could be reversed by trying.
-- Locks: erasure whole, for a moment.

create table vitals.schema_state (
    only_row       boolean     not null default true,
    program_hash   text        not null,
    server_version integer     not null,
    applied_at     timestamptz not null default now(),
    applied_by     text        not null default session_user,
    constraint schema_state_pkey primary key (only_row),
    constraint schema_state_only_row_check check (only_row)
);

comment on table vitals.schema_state is 'One row: which functions, views and grants `vitals migrate` applied last.';
comment on column vitals.schema_state.only_row       is 'True: there is one row.';
comment on column vitals.schema_state.program_hash   is 'SHA-256 of the texts of functions, rollups and roles in the program; another program starts only when they are the same.';
comment on column vitals.schema_state.server_version is 'Major version of PostgreSQL; another one may word the definition of a view in another way.';
comment on column vitals.schema_state.applied_at     is 'When.';
comment on column vitals.schema_state.applied_by     is 'By which role.';

create table vitals.schema_object (
    kind       text not null,
    name       text not null collate "C",
    definition text not null,
    constraint schema_object_pkey primary key (kind, name),
    constraint schema_object_kind_check check (kind in ('function', 'view', 'grant'))
);

comment on table vitals.schema_object is 'Functions, views and grants as `vitals migrate` and `vitals roles` left them; vitals.schema_changes() tells what was changed since.';
comment on column vitals.schema_object.kind       is 'function, view or grant.';
comment on column vitals.schema_object.name       is 'Its name; of a function with the types of its parameters; of a grant the role and what it may use.';
comment on column vitals.schema_object.definition is 'SHA-256 of the definition; of a grant the privileges themselves.';

-- A hash of few possible texts is no secret. Erasures that are over need no subject any more; one that was broken off is found
-- by its own subject, which is still in the database.
alter table erasure add column receipt_number uuid not null default gen_random_uuid();
alter table erasure alter column subject drop not null;
update erasure set subject = null where erased_at is not null;
update erasure as e
set subject = (
    select s.subject
    from (
        select 'device' as kind, device_sn as subject from device
        union select 'device', device_sn from device_binding
        union select 'user', user_id::text from app_user
        union select 'user', user_id::text from device_binding
    ) as s
    where s.kind = e.kind
        and e.subject = 'sha256:' || encode(sha256(convert_to(s.kind || ':' || s.subject, 'UTF8')), 'hex')
)
where erased_at is null;
drop index erasure_subject_idx;
drop function if exists vitals.erasure_subject(text, text);
alter table erasure
    add constraint erasure_receipt_number_key unique (receipt_number),
    add constraint erasure_subject_check check (subject is null or erased_at is null);

comment on table erasure is 'Receipts: who had a device or a user erased, and what was taken away. Kept for ever; nothing in it names a person.';
comment on column erasure.receipt_number is 'Random number of the receipt, given to whoever asked; it says nothing of what was erased.';
comment on column erasure.subject        is 'Serial or user id while the erasure is under way, so that it can go on. NULL: it is over.';
