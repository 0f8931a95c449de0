-- A message of a device about itself that is dated ahead counts as of its receipt (sql/functions/device_follow_info.sql); and the keys
-- of a tenant that are revoked are those of devices that came to it since, too.
-- Locks: device and device_key_revocation, for a moment.

comment on column device.info_ts is 'Event time of the newest message of device_info; of one dated more than five minutes after its receipt the time of receipt. NULL: the device never said anything of itself.';
comment on column device_key_revocation.customer_id is 'The tenant: of all devices that were its own when they were handed their keys, or are its own now with a key of before. NULL: it is of one device.';
