-- Which devices a run of sql/cells/send.sql sent to another cell, so that the next run sends a device that joined the tenant meanwhile
-- from its first row, and sql/cells/leave.sql deletes only what was sent.
-- Phase: expand
-- Locks: none that anybody waits for.

create table vitals.sent_device (
    run       bigint           not null,
    device_sn text collate "C" not null,
    constraint sent_device_pkey primary key (device_sn, run)
);

comment on table vitals.sent_device is 'Devices that runs of sql/cells/send.sql sent to another cell. Without a row a device is sent from its first row on, and nothing of it is deleted here.';
comment on column vitals.sent_device.run       is 'Number of the run: its transaction (txid_current()).';
comment on column vitals.sent_device.device_sn is 'Serial number of the device.';
