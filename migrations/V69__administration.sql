-- What administrators do on the pages is recorded with its object: who tested an address and whether the message arrived, and who changed a policy.
-- Phase: expand
-- Locks: contact_address exclusively, and policy against writers, for a moment.

alter table contact_address
    add column tested_at  timestamptz,
    add column tested_by  text,
    add column test_error text,
    add constraint contact_address_test_check check (num_nulls(tested_at, tested_by) in (0, 2) and (test_error is null or tested_at is not null));

comment on column contact_address.tested_at  is 'When the last test message was sent there. NULL: none was, or the address has changed since.';
comment on column contact_address.tested_by  is 'Who sent it. NULL with tested_at.';
comment on column contact_address.test_error is 'Why it was not delivered, in the words of the channel. NULL: it was delivered, or none was sent.';

-- A table of its own: the checks of rows that earlier files added to policy wait for the functions, so policy itself cannot be altered here.
create table vitals.policy_change (
    relation   text        not null,
    changed_at timestamptz not null default now(),
    changed_by text        not null default session_user,
    constraint policy_change_pkey primary key (relation)
);

comment on table vitals.policy_change is 'Who changed a policy last, and when. A policy without a row has not been changed since V69.';
comment on column vitals.policy_change.relation   is 'As in policy.';
comment on column vitals.policy_change.changed_at is 'When.';
comment on column vitals.policy_change.changed_by is 'Who: the person whom the page or the command names, else the role.';

-- Runs as its owner: a role that may change policy cannot change under whose name it did.
create function vitals.note_policy_change() returns trigger
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    insert into vitals.policy_change as c (relation, changed_by)
    values (new.relation, coalesce(nullif(current_setting('vitals.actor', true), ''), session_user))
    on conflict (relation) do update set changed_at = excluded.changed_at, changed_by = excluded.changed_by;
    return null;
end
$$;
comment on function vitals.note_policy_change() is 'Row trigger: records who changes a policy, and when.';

create trigger policy_note_change
    after update on policy
    for each row execute function vitals.note_policy_change();
