-- Devices that nobody bound and that fell silent go, by a policy of their own: whoever sends under invented serials fills nothing
-- for ever.
-- Locks: device whole, for a moment.

-- Devices that are there already count as heard of now.
alter table device add column heard_at timestamptz not null default now();
comment on column device.heard_at is 'When the service last reacted to data of the device, at most a day behind.';
comment on table device is 'One row per device heard of, bound to somebody or not. One that nobody ever bound goes when it was silent for policy.keep_for.';

insert into policy (relation, keep_for) values ('device', interval '90 days') on conflict do nothing;
