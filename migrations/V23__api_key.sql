-- Who may ask the HTTP interface: keys, each for one tenant or for all, with what it may do. And of what could not be stored, for
-- which tenant it was sent, so that a replay goes by the same bounds.
-- Locks: rejected_upload, for a moment.

create table api_key (
    key_id         text collate "C" not null,
    name           text        not null,
    customer_id    bigint,
    scopes         text[]      not null,
    secret_hash    bytea       not null,
    previous_hash  bytea,
    previous_until timestamptz,
    created_at     timestamptz not null default now(),
    created_by     text        not null default session_user,
    rotated_at     timestamptz,
    expires_at     timestamptz,
    revoked_at     timestamptz,
    last_used_at   timestamptz,
    constraint api_key_pkey primary key (key_id),
    constraint api_key_key_id_check check (key_id ~ '^[0-9a-f]{12}$'),
    -- A name that looks like a number would do for two keys.
    constraint api_key_name_check check (btrim(name) <> '' and char_length(name) <= 100 and name !~ '^[0-9a-f]{12}$'),
    constraint api_key_customer_id_check check (customer_id > 0),
    constraint api_key_scopes_check check (scopes <@ '{upload,read,admin}' and cardinality(scopes) > 0),
    constraint api_key_admin_check check (customer_id is null or not 'admin' = any (scopes)),
    constraint api_key_secret_hash_check check (octet_length(secret_hash) = 32 and octet_length(previous_hash) = 32),
    constraint api_key_previous_check check (num_nulls(previous_hash, previous_until) in (0, 2)),
    constraint api_key_expires_at_check check (expires_at > created_at)
);
create unique index api_key_name_key on api_key (name) where revoked_at is null;

comment on table api_key is 'Keys of the HTTP interface. A change is followed by every running service at once. Made by `vitals keys`; the secret itself is nowhere.';
comment on column api_key.key_id         is 'The public part of the key: what stands between vk_ and the secret.';
comment on column api_key.name           is 'What it is for, for people. Of the keys that are not revoked no two have the same.';
comment on column api_key.customer_id    is 'Tenant it is for: it writes for no other, and sees no other. NULL: every tenant.';
comment on column api_key.scopes         is 'What it may do: upload (what devices send), read (GET below /api/, /metrics), admin (everything else below /api/; for keys of every tenant only).';
comment on column api_key.secret_hash    is 'SHA-256 of the secret. The secret has 256 bits of chance, so that nobody finds it by trying; a slow hash is for passwords, which people choose.';
comment on column api_key.previous_hash  is 'SHA-256 of the secret before the last rotation. NULL: it was never rotated, or the secret before was ended.';
comment on column api_key.previous_until is 'Until when the secret before does, too. NULL: there is none.';
comment on column api_key.created_at     is 'When it was made.';
comment on column api_key.created_by     is 'By whom: the name given, else the role.';
comment on column api_key.rotated_at     is 'When it last got a new secret. NULL: it has its first.';
comment on column api_key.expires_at     is 'From then on it does no longer. NULL: it does until it is revoked.';
comment on column api_key.revoked_at     is 'When it was ended. NULL: it was not.';
comment on column api_key.last_used_at   is 'When it was last used, to the minute. NULL: never.';

-- Keys are changed by people, rarely: a NOTIFY in such a transaction holds up nobody.
create function vitals.api_key_changed() returns trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    notify vitals_api_key;
    return null;
end
$$;
comment on function vitals.api_key_changed() is 'Statement trigger: tells running services that keys changed. When one was last used is no change.';

create trigger api_key_changed
    after insert or delete
        or update of key_id, customer_id, scopes, secret_hash, previous_hash, previous_until, expires_at, revoked_at
    on api_key
    for each statement execute function vitals.api_key_changed();
create trigger api_key_truncated
    after truncate on api_key
    for each statement execute function vitals.api_key_changed();

-- Whoever ended a key can rely on it, whoever else may change the table.
create function vitals.api_key_stays_revoked() returns trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    raise exception 'key % is revoked for good: make another', old.key_id
        using errcode = 'check_violation';
end
$$;
comment on function vitals.api_key_stays_revoked() is 'Row trigger: a key that was revoked does not come back.';

create trigger api_key_stays_revoked
    before update of revoked_at on api_key
    for each row when (old.revoked_at is not null and new.revoked_at is distinct from old.revoked_at)
    execute function vitals.api_key_stays_revoked();

alter table rejected_upload
    add column key_customer_id bigint;
comment on column rejected_upload.key_customer_id is 'Tenant of the key it was sent with: a replay stores nothing of another''s. NULL: of a key of every tenant, or of none.';
comment on column rejected_upload.reason is 'Kind of refusal, a fixed word: no_serial, bad_time, future, too_old, out_of_range, not_an_object, bad_value, other_tenant, refused_by_database.';
