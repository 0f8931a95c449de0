-- People who log in: accounts with their grants, passwords and sessions; links for screens on a wall; and the log of who looked at whose data.
-- Phase: expand
-- Locks: policy against writers, for a moment; everything else is new.

create table account (
    account_id   bigint      generated always as identity,
    login        text        not null,
    name         text        not null,
    language     text,
    oidc_issuer  text,
    oidc_subject text,
    created_at   timestamptz not null default now(),
    created_by   text        not null default session_user,
    disabled_at  timestamptz,
    logged_in_at timestamptz,
    constraint account_pkey primary key (account_id),
    constraint account_login_key unique (login),
    constraint account_name_key unique (name),
    constraint account_oidc_key unique (oidc_issuer, oidc_subject),
    constraint account_login_check check (login ~ '^[^[:space:][:cntrl:]]{1,200}$' and login = lower(login)),
    constraint account_name_check check (name ~ '\S' and char_length(name) <= 200),
    constraint account_language_check check (language in ('en', 'zh')),
    constraint account_oidc_check check (num_nulls(oidc_issuer, oidc_subject) in (0, 2))
);

comment on table account is 'People who log in. People who wear devices are in app_user. Made by `vitals people`, or at the first login through an OIDC provider. An account is disabled, never deleted: what was changed and looked at stands under its name.';
comment on column account.account_id   is 'Number of the account.';
comment on column account.login        is 'What the person types to log in, in lower case.';
comment on column account.name         is 'Name of the person. Changes stand under it, so no two accounts have the same.';
comment on column account.language     is 'Language of the pages: en or zh. NULL: that of the browser.';
comment on column account.oidc_issuer  is 'URL of the OIDC provider that vouches for the person. NULL: none does.';
comment on column account.oidc_subject is 'Id of the person at that provider. NULL: there is no provider.';
comment on column account.created_at   is 'When it was made.';
comment on column account.created_by   is 'By whom: the name given, the provider, else the role.';
comment on column account.disabled_at  is 'Since when nobody can log in with it. NULL: it is not disabled.';
comment on column account.logged_in_at is 'When the person last logged in. NULL: never.';

-- A table of its own, so that a role can read accounts without the hashes of passwords.
create table vitals.account_password (
    account_id    bigint      not null,
    password_hash text        not null,
    changed_at    timestamptz not null default now(),
    constraint account_password_pkey primary key (account_id),
    constraint account_password_account_id_fkey foreign key (account_id) references account (account_id) on delete cascade,
    constraint account_password_password_hash_check check (password_hash ~ '^\$argon2id\$')
);

comment on table vitals.account_password is 'Passwords of accounts. An account without a row logs in through its OIDC provider only.';
comment on column vitals.account_password.account_id    is 'The account.';
comment on column vitals.account_password.password_hash is 'Argon2id hash of the password, with its parameters and salt (PHC string).';
comment on column vitals.account_password.changed_at    is 'When the person got this password. A hash that is made again with other parameters keeps the time.';

create table account_grant (
    grant_id    bigint      generated always as identity,
    account_id  bigint      not null,
    role        text        not null,
    customer_id bigint,
    org_id      bigint,
    source      text        not null default 'people',
    granted_at  timestamptz not null default now(),
    granted_by  text        not null default session_user,
    constraint account_grant_pkey primary key (grant_id),
    constraint account_grant_key unique nulls not distinct (account_id, role, customer_id, org_id),
    constraint account_grant_account_id_fkey foreign key (account_id) references account (account_id) on delete cascade,
    constraint account_grant_role_check check (role in ('viewer', 'responder', 'admin')),
    constraint account_grant_customer_id_check check (customer_id > 0),
    constraint account_grant_org_id_check check (org_id > 0),
    constraint account_grant_unit_check check (org_id is null or customer_id is not null),
    constraint account_grant_source_check check (source in ('people', 'oidc'))
);

comment on table account_grant is 'What an account may see and do: a role in a tenant or a unit. A session works in one grant at a time.';
comment on column account_grant.grant_id    is 'Number of the grant.';
comment on column account_grant.account_id  is 'The account.';
comment on column account_grant.role        is 'viewer (looks at data and alerts), responder (also acts on alerts and silences them), admin (also changes rules, contacts and the rest).';
comment on column account_grant.customer_id is 'Tenant. NULL: every tenant.';
comment on column account_grant.org_id      is 'Organisation unit of the tenant, with its sub-units. NULL: not limited to a unit.';
comment on column account_grant.source      is 'people: by `vitals people`. oidc: from the groups that the provider reported at the last login; the next login replaces it.';
comment on column account_grant.granted_at  is 'When it was made.';
comment on column account_grant.granted_by  is 'By whom: the name given, the provider, else the role.';

create table vitals.account_session (
    session_id bigint      generated always as identity,
    token_hash bytea       not null,
    account_id bigint      not null,
    grant_id   bigint      not null,
    created_at timestamptz not null default now(),
    seen_at    timestamptz not null default now(),
    ends_at    timestamptz not null,
    address    inet        not null,
    user_agent text,
    constraint account_session_pkey primary key (session_id),
    constraint account_session_token_hash_key unique (token_hash),
    constraint account_session_account_id_fkey foreign key (account_id) references account (account_id) on delete cascade,
    constraint account_session_grant_id_fkey foreign key (grant_id) references account_grant (grant_id) on delete cascade,
    constraint account_session_token_hash_check check (octet_length(token_hash) = 32),
    constraint account_session_ends_at_check check (ends_at > created_at),
    constraint account_session_user_agent_check check (char_length(user_agent) <= 300)
);
create index account_session_account_id_idx on vitals.account_session (account_id);
create index account_session_grant_id_idx on vitals.account_session (grant_id);

comment on table vitals.account_session is 'People who are logged in. A row ends with its grant, when the password changes, and when the account is disabled.';
comment on column vitals.account_session.session_id is 'Number of the session.';
comment on column vitals.account_session.token_hash is 'SHA-256 of the token in the cookie, which has 256 bits of entropy. Each login and each change of the grant makes a new token.';
comment on column vitals.account_session.account_id is 'Who is logged in.';
comment on column vitals.account_session.grant_id   is 'The grant in use.';
comment on column vitals.account_session.created_at is 'When the person logged in.';
comment on column vitals.account_session.seen_at    is 'When it was last used, to the minute; the setting login.idle_minutes counts from here.';
comment on column vitals.account_session.ends_at    is 'When it ends even if it is in use.';
comment on column vitals.account_session.address    is 'Address from which the person logged in; of IPv6, the network of the subscriber.';
comment on column vitals.account_session.user_agent is 'What the browser called itself at login. NULL: nothing.';

create table vitals.kiosk_link (
    kiosk_link_id bigint      generated always as identity,
    name          text        not null,
    token_hash    bytea       not null,
    customer_id   bigint      not null,
    org_id        bigint,
    is_private    boolean     not null default false,
    created_at    timestamptz not null default now(),
    created_by    text        not null default session_user,
    expires_at    timestamptz,
    revoked_at    timestamptz,
    last_used_at  timestamptz,
    constraint kiosk_link_pkey primary key (kiosk_link_id),
    constraint kiosk_link_token_hash_key unique (token_hash),
    -- A name of digits would be taken for a number.
    constraint kiosk_link_name_check check (name ~ '\S' and char_length(name) <= 100 and name !~ '^[0-9]+$'),
    constraint kiosk_link_token_hash_check check (octet_length(token_hash) = 32),
    constraint kiosk_link_customer_id_check check (customer_id > 0),
    constraint kiosk_link_org_id_check check (org_id > 0),
    constraint kiosk_link_expires_at_check check (expires_at > created_at)
);
create unique index kiosk_link_name_key on vitals.kiosk_link (name) where revoked_at is null;

comment on table vitals.kiosk_link is 'Links for screens on a wall: each shows one tenant or unit and changes nothing. Made by `vitals kiosk`; the link itself is stored nowhere.';
comment on column vitals.kiosk_link.kiosk_link_id is 'Number of the link.';
comment on column vitals.kiosk_link.name          is 'Which screen it is for. Of the links that are not revoked no two have the same.';
comment on column vitals.kiosk_link.token_hash    is 'SHA-256 of the token in the link, which has 256 bits of entropy.';
comment on column vitals.kiosk_link.customer_id   is 'The tenant that it shows.';
comment on column vitals.kiosk_link.org_id        is 'The organisation unit that it shows, with its sub-units. NULL: the whole tenant.';
comment on column vitals.kiosk_link.is_private    is 'It shows initials in place of names, and no positions.';
comment on column vitals.kiosk_link.created_at    is 'When it was made.';
comment on column vitals.kiosk_link.created_by    is 'By whom: the name given, else the role.';
comment on column vitals.kiosk_link.expires_at    is 'From then on it no longer works. NULL: it works until it is revoked.';
comment on column vitals.kiosk_link.revoked_at    is 'When it was ended. NULL: it was not.';
comment on column vitals.kiosk_link.last_used_at  is 'When it was last used, to the minute. NULL: never.';

-- Accounts and links are changed by people, rarely: a NOTIFY in such a transaction delays nobody.
create function vitals.account_changed() returns trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    notify vitals_account;
    return null;
end
$$;
comment on function vitals.account_changed() is 'Statement trigger: notifies running services that accounts, grants, sessions or kiosk links changed. A new session, and when one was last used, is no change.';

create trigger account_changed
    after update of login, name, language, disabled_at or delete on account
    for each statement execute function vitals.account_changed();
create trigger account_grant_changed
    after insert or update or delete on account_grant
    for each statement execute function vitals.account_changed();
create trigger account_session_changed
    after update of token_hash, grant_id, ends_at or delete on vitals.account_session
    for each statement execute function vitals.account_changed();
create trigger kiosk_link_changed
    after insert or delete or update of token_hash, customer_id, org_id, is_private, name, expires_at, revoked_at on vitals.kiosk_link
    for each statement execute function vitals.account_changed();

-- Whoever changes a password or disables an account can rely on it that nobody goes on with an old session.
create function vitals.end_account_sessions() returns trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    delete from vitals.account_session where account_id = old.account_id;
    return null;
end
$$;
comment on function vitals.end_account_sessions() is 'Row trigger: ends the sessions of an account.';

create trigger account_disabled
    after update of disabled_at on account
    for each row when (new.disabled_at is not null) execute function vitals.end_account_sessions();
create trigger account_password_changed
    after update of changed_at or delete on vitals.account_password
    for each row execute function vitals.end_account_sessions();

create function vitals.kiosk_link_stays_revoked() returns trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    raise exception 'kiosk link % is revoked permanently: make another', old.kiosk_link_id
        using errcode = 'check_violation';
end
$$;
comment on function vitals.kiosk_link_stays_revoked() is 'Row trigger: a link that was revoked never works again.';

create trigger kiosk_link_stays_revoked
    before update of revoked_at on vitals.kiosk_link
    for each row when (old.revoked_at is not null and new.revoked_at is distinct from old.revoked_at)
    execute function vitals.kiosk_link_stays_revoked();

create table access_log (
    accessed_at   timestamptz not null,
    account_id    bigint,
    key_id        text collate "C",
    kiosk_link_id bigint,
    name          text        not null,
    role          text        not null,
    within_customer_id bigint,
    within_org_id bigint,
    route         text        not null,
    device_sn     text collate "C",
    user_id       bigint,
    filter        text,
    address       inet        not null,
    erased        boolean     not null default false,
    constraint access_log_caller_check check (num_nonnulls(account_id, key_id, kiosk_link_id) <= 1),
    constraint access_log_subject_check check (num_nonnulls(device_sn, user_id) <= 1),
    constraint access_log_filter_check check (char_length(filter) <= 1000)
);
select create_hypertable('access_log', 'accessed_at', chunk_time_interval => interval '7 days', create_default_indexes => false);
create index access_log_accessed_at_idx on access_log (accessed_at desc);
create index access_log_device_sn_idx on access_log (device_sn, accessed_at desc) where device_sn is not null;
create index access_log_user_id_idx on access_log (user_id, accessed_at desc) where user_id is not null;
create index access_log_account_id_idx on access_log (account_id, accessed_at desc) where account_id is not null;

comment on table access_log is 'Who looked at whose data: a row for each answer of a route or page that shows data of people; and who changed something over HTTP. Repeats of the same within a few minutes (the setting access_log_repeat_seconds) are one row, changes are not. It holds no health value. Kept for two years (policy).';
comment on column access_log.accessed_at        is 'When.';
comment on column access_log.account_id         is 'Who: the account. NULL: an API key, a kiosk link, or authentication is off.';
comment on column access_log.key_id             is 'Who: the public part of the API key. NULL: it was none.';
comment on column access_log.kiosk_link_id      is 'Who: the kiosk link. NULL: it was none.';
comment on column access_log.name               is 'Name of the person, of the person of the key, or of the link, at that time.';
comment on column access_log.role               is 'What the caller might do at that time: viewer, responder or admin.';
comment on column access_log.within_customer_id is 'Tenant to which the caller was limited. NULL: every tenant.';
comment on column access_log.within_org_id      is 'Unit to which the caller was limited. NULL: none.';
comment on column access_log.route              is 'The route, as in the OpenAPI document; of a change with its method in front.';
comment on column access_log.device_sn          is 'Whose: the device. NULL: a person, a list, or it was erased.';
comment on column access_log.user_id            is 'Whose: the person who wears devices. NULL: a device, a list, or it was erased.';
comment on column access_log.filter             is 'The query of the request, at most 1000 characters: what a list was filtered by; of a change, the numbers in its path. NULL: there was none, or it was erased.';
comment on column access_log.address            is 'Address of the caller; of IPv6, the network of the subscriber.';
comment on column access_log.erased             is 'The device or person was erased since: who looked stays, at whom does not.';

-- The functions that know these relations are applied after the migrations, in the same transaction.
set constraints policy_check deferred;
insert into policy (relation, keep_for) values
    ('access_log', interval '2 years'),
    ('vitals.account_session', interval '30 days');
