-- Removes the owner of a device that has changed, and keeps out what was read before the change.
-- KEYS[1]   device_user:{sn}
-- KEYS[2]   vitals:owner_change:…, in the slot of the first: directory, space, version of the last change of this device
-- ARGV[1]   id of the directory
-- ARGV[2]   its version after the change
-- ARGV[3]   seconds for which an older owner may still come
local directory, version = string.match(redis.call('GET', KEYS[2]) or '', '^(.*) (%d+)$')
if directory == ARGV[1] and tonumber(version) >= tonumber(ARGV[2]) then return 0 end
redis.call('SET', KEYS[2], ARGV[1] .. ' ' .. ARGV[2], 'EX', ARGV[3])
redis.call('UNLINK', KEYS[1])
return 1
