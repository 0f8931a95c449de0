-- Keys of single devices: derived from a secret, so that nothing is kept of one until it is revoked. Who owns a device is said by the
-- directory alone, no longer by what a device said of itself. And a metric of a watch's configuration holds numbers.
-- Locks: api_key, rejected_upload, device_config_metric and vitals.device_period, for a moment.

create table vitals.device_key_secret (
    generation integer     not null,
    secret     bytea       not null,
    created_at timestamptz not null default now(),
    ends_at    timestamptz,
    constraint device_key_secret_pkey primary key (generation),
    constraint device_key_secret_generation_check check (generation > 0),
    constraint device_key_secret_secret_check check (octet_length(secret) = 32)
);

comment on table vitals.device_key_secret is 'What the keys of single devices are derived from (HMAC-SHA-256). Whoever reads it can make the key of any device.';
comment on column vitals.device_key_secret.generation is 'Number of the secret, which stands in every key made with it. Keys are made with the highest.';
comment on column vitals.device_key_secret.secret     is 'The secret: 256 bits of entropy, made here.';
comment on column vitals.device_key_secret.created_at is 'When it was made.';
comment on column vitals.device_key_secret.ends_at    is 'From then on keys made with it are refused. NULL: they are not.';

-- Random numbers of the server; three of them hold more than 256 bits.
insert into vitals.device_key_secret (generation, secret)
values (1, sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())));

create table device_key_revocation (
    device_key_revocation_id bigint generated always as identity,
    device_sn                text collate "C",
    customer_id              bigint,
    revoked_at               timestamptz not null default now(),
    revoked_by               text        not null default session_user,
    readmitted_at            timestamptz,
    constraint device_key_revocation_pkey primary key (device_key_revocation_id),
    constraint device_key_revocation_what_check check (num_nonnulls(device_sn, customer_id) = 1),
    constraint device_key_revocation_customer_id_check check (customer_id > 0),
    constraint device_key_revocation_readmitted_at_check check (readmitted_at >= revoked_at)
);
-- At most one of a device, and of a tenant, is in force.
create unique index device_key_revocation_device_sn_key on device_key_revocation (device_sn) where readmitted_at is null;
create unique index device_key_revocation_customer_id_key on device_key_revocation (customer_id) where readmitted_at is null;

comment on table device_key_revocation is 'Devices and tenants whose device keys were revoked: the keys of before never work again, and no new ones are handed out until readmitted_at is set. Made by `vitals keys revoke --device` and `--tenant`; every running service follows at once. A row that is deleted makes its keys work again.';
comment on column device_key_revocation.device_key_revocation_id is 'Number of the revocation.';
comment on column device_key_revocation.device_sn                is 'The device. NULL: it is of a tenant.';
comment on column device_key_revocation.customer_id              is 'The tenant: of all devices that were its own when they were handed their keys. NULL: it is of one device.';
comment on column device_key_revocation.revoked_at               is 'When.';
comment on column device_key_revocation.revoked_by               is 'By whom: the name given, else the role.';
comment on column device_key_revocation.readmitted_at            is 'From when on new keys are handed out again. NULL: none are.';

-- How often something was revoked stands in its keys: a revocation that went, or came back, would let old keys in again.
create function vitals.device_key_revocation_stays() returns trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    raise exception 'revocation % of device keys stays as it is: readmit what it is about, or revoke it once more',
        old.device_key_revocation_id
        using errcode = 'check_violation';
end
$$;
comment on function vitals.device_key_revocation_stays() is 'Row trigger: keys of a device that were revoked do not come back.';

create trigger device_key_revocation_stays
    before update on device_key_revocation
    for each row when (old.readmitted_at is not null
        or new.device_sn is distinct from old.device_sn or new.customer_id is distinct from old.customer_id)
    execute function vitals.device_key_revocation_stays();
create trigger device_key_revocation_is_kept
    before delete on device_key_revocation
    for each row execute function vitals.device_key_revocation_stays();

create trigger device_key_secret_changed
    after insert or update or delete or truncate on vitals.device_key_secret
    for each statement execute function vitals.api_key_changed();
create trigger device_key_revocation_changed
    after insert or update or delete or truncate on device_key_revocation
    for each statement execute function vitals.api_key_changed();

comment on column rejected_upload.key_customer_id is 'Tenant of the key it was sent with: a replay stores nothing of another''s. 0: of a key of one device, whose tenant is that of the directory. NULL: of a key of every tenant, or of none.';
comment on column rejected_upload.reason is 'Kind of refusal, a fixed word: no_serial, bad_time, future, too_old, out_of_range, not_an_object, bad_value, other_tenant, other_device, refused_by_database.';

-- What a device said of itself gave it an owner here. It does not any more: a device that was never bound is nobody's. What it
-- said stays in device.customer_id and its neighbours, and decides nothing.
create or replace view vitals.device_period as
select b.device_sn, b.user_id, u.org_id, coalesce(o.customer_id, 0) as customer_id, b.period
from (
    select
        device_sn, user_id,
        tstzrange(
            case when lag(valid_from) over each_device is not null then valid_from end,
            least(valid_until, lead(valid_from) over each_device)
        ) as period
    from device_binding
    window each_device as (partition by device_sn order by valid_from)
) as b
left join app_user as u using (user_id)
left join org_unit as o using (org_id);

comment on view vitals.device_period is 'Who owned a device when, one row per binding. A device that was never bound has none: nobody owns it.';
comment on column device.customer_id is 'Tenant as of the newest message: as the device named it, else by its binding at that time. It makes no owner. NULL: neither.';

-- A watch skips the metrics behind one that holds anything but numbers. NaN is greater than every number.
update device_config_metric set warn_high = null where warn_high = 'NaN';
update device_config_metric set warn_low = null where warn_low = 'NaN';
alter table device_config_metric
    add constraint device_config_metric_warn_check check (warn_high < 'NaN' and warn_low < 'NaN');
