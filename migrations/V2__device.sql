-- Every device that was ever heard of. The relay adds a device when its first batch is reacted to.

create table device (
    device_sn     text collate "C" not null,
    first_seen_at timestamptz not null default now(),
    constraint device_pkey primary key (device_sn)
);

comment on table device is 'One row per device ever heard of, bound to somebody or not.';
comment on column device.device_sn     is 'Serial number, as the device sends it.';
comment on column device.first_seen_at is 'When the service first reacted to data of the device.';
