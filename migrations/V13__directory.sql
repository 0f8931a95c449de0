-- The directory: whom a device belongs to. A device is bound to a user, a user sits in an organisation unit, and the
-- unit's ancestors name the tenant. All ids are given from outside, 64 bit, and never 0: that is how devices say
-- "unknown". Filled by `vitals directory import` or by SQL; bind_device() keeps the history in order.
-- The names are those of the wire: a tenant is a customer there. `app_user`, because `user` is a word of SQL.
-- Locks: none that matter on a new database.

create table customer (
    customer_id bigint not null,
    name        text   not null,
    constraint customer_pkey primary key (customer_id),
    constraint customer_customer_id_check check (customer_id >= 0)
);
-- Nobody's devices are served under this one; what is configured for it holds for every tenant (see device_config).
insert into customer (customer_id, name) values (0, '');

comment on table customer is 'One row per tenant that has a name. Tenants that only the organisation units name are tenants all the same.';
comment on column customer.customer_id is 'Tenant, 64 bit, given from outside. 0: nobody, and the defaults of everybody.';
comment on column customer.name        is 'What watches show as their customer.';

create table org_unit (
    org_id      bigint   not null,
    name        text,
    ancestors   bigint[] not null default '{}',
    customer_id bigint   not null generated always as (coalesce((array_remove(ancestors, 0::bigint))[1], org_id)) stored,
    constraint org_unit_pkey primary key (org_id),
    constraint org_unit_org_id_check check (org_id > 0),
    constraint org_unit_ancestors_check check (array_position(ancestors, null) is null and 0 <= all (ancestors) and org_id <> all (ancestors))
);
create index org_unit_customer_id_idx on org_unit (customer_id);

comment on table org_unit is 'Organisation units. The ancestors need not be here themselves: a unit carries its whole path.';
comment on column org_unit.org_id      is 'Organisation unit, 64 bit, given from outside.';
comment on column org_unit.name        is 'For people. NULL: not told.';
comment on column org_unit.ancestors   is 'Ids from the root down to the parent; zeros in front stand for "no more". Empty: a root.';
comment on column org_unit.customer_id is 'Tenant: the first ancestor that is not 0, or the unit itself when it has none.';

create table app_user (
    user_id bigint not null,
    org_id  bigint,
    name    text,
    constraint app_user_pkey primary key (user_id),
    constraint app_user_user_id_check check (user_id > 0),
    -- Deferrable, so that one transaction may load the tables in any order.
    constraint app_user_org_id_fkey foreign key (org_id) references org_unit (org_id) deferrable
);
create index app_user_org_id_idx on app_user (org_id);

comment on table app_user is 'People who wear devices.';
comment on column app_user.user_id is 'Wearer, 64 bit, given from outside.';
comment on column app_user.org_id  is 'Organisation unit the user sits in. NULL: none, and so no tenant either.';
comment on column app_user.name    is 'For people. NULL: not told.';

create table device_binding (
    device_sn   text collate "C" not null,
    user_id     bigint           not null,
    valid_from  timestamptz      not null default now(),
    valid_until timestamptz,
    constraint device_binding_pkey primary key (device_sn, valid_from),
    constraint device_binding_user_id_fkey foreign key (user_id) references app_user (user_id) deferrable,
    constraint device_binding_device_sn_check check (octet_length(device_sn) between 1 and 64),
    constraint device_binding_valid_check check (valid_from < valid_until)
);
-- At most one open binding per device, whoever writes.
create unique index device_binding_open_key on device_binding (device_sn) where valid_until is null;
create index device_binding_user_id_idx on device_binding (user_id);

comment on table device_binding is 'Who wore a device when. A sample belongs to the binding in force at its time; before the first binding of a device, to the first.';
comment on column device_binding.device_sn   is 'Serial number of the device, as it sends it. It may be bound before it was ever heard of.';
comment on column device_binding.user_id     is 'Who wears it.';
comment on column device_binding.valid_from  is 'Since when. A later binding of the device ends this one, whatever valid_until says.';
comment on column device_binding.valid_until is 'Until when, exclusive. NULL: open, it has not ended.';

-- What instances and Redis know of the directory is told by its version.
create table vitals.directory (
    only_row     boolean not null default true,
    directory_id uuid    not null default gen_random_uuid(),
    version      bigint  not null default 1,
    constraint directory_pkey primary key (only_row),
    constraint directory_only_row_check check (only_row)
);
insert into vitals.directory default values;

comment on table vitals.directory is 'One row: the version of the directory. What was looked up at an older version may be out of date.';
comment on column vitals.directory.only_row     is 'Always true: there is one directory.';
comment on column vitals.directory.directory_id is 'Tells the directory of this database from that of another that used the same Redis.';
comment on column vitals.directory.version      is 'Raised in every transaction that changes whom a device belongs to.';

-- Before each statement that may change an owner: one writer at a time, in the order directory, then rows, so that two
-- of them never wait for each other crosswise, and versions are committed in their order.
create function vitals.directory_lock() returns trigger
language plpgsql
set search_path = pg_catalog, public, pg_temp
as $$
begin
    perform from vitals.directory for update;
    return null;
end
$$;
comment on function vitals.directory_lock() is 'Statement trigger: one writer of the directory at a time, until its commit.';

-- NOTIFY takes a lock that every notifying commit of the cluster waits for; changes of the directory are rare.
-- The payload is the new version and either a JSON array of serials or '*': any device. PostgreSQL's limit for it is
-- 8000 bytes.
create function vitals.directory_changed(device_sns text[]) returns void
language plpgsql
set search_path = pg_catalog, public, pg_temp
as $$
declare
    devices text := '*';
    raised  bigint;
begin
    if cardinality(device_sns) = 0 then
        return;
    end if;
    if cardinality(device_sns) <= 100 then
        devices := to_json(device_sns)::text;
        if octet_length(devices) > 7000 then
            devices := '*';
        end if;
    end if;
    update vitals.directory set version = version + 1 returning version into raised;
    perform pg_notify('vitals_owner', raised || ' ' || devices);
end
$$;
comment on function vitals.directory_changed(text[]) is 'Raises the version of the directory and tells all instances which devices may have another owner; NULL: any.';

create function vitals.device_binding_changed() returns trigger
language plpgsql
set search_path = pg_catalog, public, pg_temp
as $$
begin
    -- More than a hundred rows are told as "any device": there is no need to look at all of them.
    if tg_op = 'TRUNCATE' then
        perform vitals.directory_changed(null);
    elsif tg_op = 'INSERT' then
        perform vitals.directory_changed(array(select device_sn from after_change limit 101));
    elsif tg_op = 'DELETE' then
        perform vitals.directory_changed(array(select device_sn from before_change limit 101));
    else
        perform vitals.directory_changed(array(
            (select device_sn from before_change limit 101) union (select device_sn from after_change limit 101)
        ));
    end if;
    return null;
end
$$;
comment on function vitals.device_binding_changed() is 'Statement trigger: announces the devices whose bindings changed.';

create function vitals.app_user_changed() returns trigger
language plpgsql
set search_path = pg_catalog, public, pg_temp
as $$
begin
    -- A user who is new or gone has no bindings, and a new name changes no owner.
    perform vitals.directory_changed(array(
        select b.device_sn
        from (
            select user_id, org_id from before_change
            except
            select user_id, org_id from after_change
        ) moved
        join device_binding b using (user_id)
        limit 101
    ));
    return null;
end
$$;
comment on function vitals.app_user_changed() is 'Statement trigger: announces the devices of users who moved to another organisation unit.';

create function vitals.org_unit_changed() returns trigger
language plpgsql
set search_path = pg_catalog, public, pg_temp
as $$
begin
    if exists (select org_id, customer_id from before_change except select org_id, customer_id from after_change) then
        perform vitals.directory_changed(null);
    end if;
    return null;
end
$$;
comment on function vitals.org_unit_changed() is 'Statement trigger: announces that organisation units moved to another tenant, and any device with them.';

create trigger device_binding_lock
    before insert or update or delete or truncate on device_binding
    for each statement execute function vitals.directory_lock();
create trigger device_binding_inserted
    after insert on device_binding referencing new table as after_change
    for each statement execute function vitals.device_binding_changed();
create trigger device_binding_updated
    after update on device_binding referencing old table as before_change new table as after_change
    for each statement execute function vitals.device_binding_changed();
create trigger device_binding_deleted
    after delete on device_binding referencing old table as before_change
    for each statement execute function vitals.device_binding_changed();
create trigger device_binding_truncated
    after truncate on device_binding
    for each statement execute function vitals.device_binding_changed();

create trigger app_user_lock
    before update on app_user
    for each statement execute function vitals.directory_lock();
create trigger app_user_updated
    after update on app_user referencing old table as before_change new table as after_change
    for each statement execute function vitals.app_user_changed();

create trigger org_unit_lock
    before update on org_unit
    for each statement execute function vitals.directory_lock();
create trigger org_unit_updated
    after update on org_unit referencing old table as before_change new table as after_change
    for each statement execute function vitals.org_unit_changed();

-- What devices say of their owner is completed from the directory, in every table alike.
comment on column device.customer_id      is 'Tenant as of the newest message: as the device named it, else by its binding at that time. NULL: neither.';
comment on column device.org_id           is 'Organisation unit as of the newest message: as named, else by its binding. NULL: neither.';
comment on column device.user_id          is 'Wearer as of the newest message: as named, else by its binding. NULL: neither.';
comment on column device_info.customer_id is 'Tenant, 64 bit: as the device named it, else by its binding at ts. NULL: neither.';
comment on column device_info.org_id      is 'Organisation unit, 64 bit: as named, else by its binding at ts. NULL: neither.';
comment on column device_info.user_id     is 'Wearer, 64 bit: as named, else by its binding at ts. NULL: neither.';
