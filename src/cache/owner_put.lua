-- Keeps the owner of a device, unless it was read before the last change of it.
-- KEYS[1]   device_user:{sn}
-- KEYS[2]   vitals:owner_change:…, in the slot of the first: directory, space, version of the last change of this device
-- ARGV[1]   id of the directory
-- ARGV[2]   version at which the owner was read
-- ARGV[3]   seconds to keep it
-- ARGV[4]   the value
-- Returns 1: kept; 0: not kept.
local directory, version = string.match(redis.call('GET', KEYS[2]) or '', '^(.*) (%d+)$')
if directory == ARGV[1] and tonumber(version) > tonumber(ARGV[2]) then return 0 end
redis.call('SET', KEYS[1], ARGV[4], 'EX', ARGV[3])
return 1
