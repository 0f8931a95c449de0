-- A message of a device about itself that is dated ahead counts as of its receipt (sql/functions/device_follow_info.sql).
-- Locks: device, for a moment.

comment on column device.info_ts is 'Event time of the newest message of device_info; of one dated more than five minutes after its receipt the time of receipt. NULL: the device never said anything of itself.';
