-- The directory is at another version. The owners of the changed devices are removed before that (owner_remove.lua).
-- KEYS[1]   vitals:owners (directory, version, floor)
-- ARGV[1]   id of the directory
-- ARGV[2]   the new version
-- ARGV[3]   'some': the changed devices are known; 'any': any device
-- Returns 0: was known already; 1: only the changed devices are stale; 2: everything older is stale, and may be removed.
-- A version that does not follow the last one known means that a change between them was missed: then everything is stale.
local held = redis.call('HMGET', KEYS[1], 'directory', 'version')
local version, known = tonumber(ARGV[2]), -1
if held[1] == ARGV[1] then known = tonumber(held[2]) end
if known >= version then return 0 end
if ARGV[3] == 'some' and known == version - 1 then
    redis.call('HSET', KEYS[1], 'version', ARGV[2])
    return 1
end
redis.call('HSET', KEYS[1], 'directory', ARGV[1], 'version', ARGV[2], 'floor', ARGV[2])
return 2
