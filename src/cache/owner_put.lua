-- Keeps the owners of devices, if the directory is still at the version at which they were read.
-- KEYS[1]   vitals:owners (directory, version, floor)
-- KEYS[2…]  device_user:{sn}
-- ARGV[1]   id of the directory
-- ARGV[2]   version
-- ARGV[3]   seconds to keep it
-- ARGV[4…]  the values, one for each key from the second on
-- Returns 1: kept; 0: not kept, because the directory has changed.
local held = redis.call('HMGET', KEYS[1], 'directory', 'version')
if held[1] ~= ARGV[1] or held[2] ~= ARGV[2] then return 0 end
for i = 2, #KEYS do redis.call('SET', KEYS[i], ARGV[i + 2], 'EX', ARGV[3]) end
return 1
