-- Which cell (database with its instances) the devices of a tenant live in, and where each cell is reached. And the secrets of other
-- cells, so that a watch that comes from one of them goes on with the key it has.
-- Locks: none that anybody waits for.

create table vitals.cell_url (
    cell         text not null,
    public_url   text not null,
    internal_url text,
    constraint cell_url_pkey primary key (cell),
    constraint cell_url_cell_check check (cell ~ '^[a-z][a-z0-9_]{0,30}$'),
    constraint cell_url_public_url_check check (public_url ~ '^https?://[^;/[:space:]][^;[:space:]]*$' and public_url !~ '/$'),
    constraint cell_url_internal_url_check check (internal_url ~ '^https?://[^;/[:space:]][^;[:space:]]*$' and internal_url !~ '/$')
);

comment on table vitals.cell_url is 'Where each cell is reached, this one included; the same rows in every cell.';
comment on column vitals.cell_url.cell         is 'Name of the cell, as vitals.cell in it has it.';
comment on column vitals.cell_url.public_url   is 'Base of the URLs that watches are given, without a slash at its end.';
comment on column vitals.cell_url.internal_url is 'Where other cells pass uploads on to, without a slash at its end. NULL: to public_url.';

create table vitals.placement (
    customer_id     bigint not null,
    first_device_sn text collate "C",
    last_device_sn  text collate "C",
    cell            text   not null,
    constraint placement_key unique nulls not distinct (customer_id, first_device_sn, last_device_sn),
    constraint placement_cell_fkey foreign key (cell) references vitals.cell_url (cell),
    constraint placement_customer_id_check check (customer_id >= 0),
    constraint placement_range_check check (num_nulls(first_device_sn, last_device_sn) in (0, 2) and first_device_sn <= last_device_sn)
);

comment on table vitals.placement is 'Which cell the devices of a tenant live in; the same rows in every cell. The narrowest row applies: a single device, a range of serials (of several, the one that begins last), the tenant. Devices without a row live where their uploads arrive.';
comment on column vitals.placement.customer_id     is 'Tenant. 0: the devices that nobody owns.';
comment on column vitals.placement.first_device_sn is 'First serial of a range, in the order of bytes; the same as last_device_sn: a single device. NULL: all devices of the tenant.';
comment on column vitals.placement.last_device_sn  is 'Last serial of the range, inclusive. NULL with first_device_sn.';
comment on column vitals.placement.cell            is 'The cell.';

create function vitals.placement_changed() returns trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    notify vitals_placement;
    return null;
end
$$;
comment on function vitals.placement_changed() is 'Statement trigger: notifies running services that the placement of devices has changed.';

create trigger cell_url_changed
    after insert or update or delete or truncate on vitals.cell_url
    for each statement execute function vitals.placement_changed();
create trigger placement_changed
    after insert or update or delete or truncate on vitals.placement
    for each statement execute function vitals.placement_changed();

create table vitals.accepted_device_key_secret (
    cell       text    not null,
    generation integer not null,
    secret     bytea   not null,
    ends_at    timestamptz,
    constraint accepted_device_key_secret_pkey primary key (cell, generation),
    constraint accepted_device_key_secret_generation_check check (generation > 0),
    constraint accepted_device_key_secret_secret_check check (octet_length(secret) = 32)
);

comment on table vitals.accepted_device_key_secret is 'Secrets of other cells: device keys that these cells made are accepted here, and none are made with them. Copied when devices move here. Any role that can read this table can make such keys.';
comment on column vitals.accepted_device_key_secret.cell       is 'The cell that made the secret.';
comment on column vitals.accepted_device_key_secret.generation is 'Number of the secret in that cell.';
comment on column vitals.accepted_device_key_secret.secret     is 'The secret.';
comment on column vitals.accepted_device_key_secret.ends_at    is 'From then on keys of this secret are refused here. NULL: they are accepted.';

create trigger accepted_device_key_secret_changed
    after insert or update or delete or truncate on vitals.accepted_device_key_secret
    for each statement execute function vitals.api_key_changed();
