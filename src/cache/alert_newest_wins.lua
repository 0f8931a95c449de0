-- Writes an open alert, or removes one that has ended. 1: done. 0: Redis has a newer state. 2: Redis has a state of a later timeline
-- of the database, in which alert ids mean other alerts.
-- KEYS[1]  alert_info:{sn}, alert id → JSON of the open alerts
-- KEYS[2]  vitals:alert_version:…, in the slot of the first: alert id → version of the state that was written last; outlives the
--          alert by a day, so that an older state which comes late does not bring it back
-- ARGV     alert id, version (microseconds), JSON, serial, whether it is open (1 or 0), timeline
local held = redis.call('HGET', KEYS[2], ARGV[1])
local is_new = true -- to this timeline
if held then
    local held_of, held_at = string.match(held, '^(%d+):(%d+)$')
    held_of, held_at = tonumber(held_of or '0'), tonumber(held_at or held)
    local of = tonumber(ARGV[6])
    if held_of > of then return 2 end
    is_new = held_of < of
    if held_of == of and held_at > tonumber(ARGV[2]) then return 0 end
end
if ARGV[5] == '0' then
    redis.call('HDEL', KEYS[1], ARGV[1])
else
    redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
end
-- An alert of a lost timeline leaves no version: another alert gets its id.
if is_new and ARGV[5] == '0' and tonumber(ARGV[2]) >= 9007199254740991 then
    redis.call('HDEL', KEYS[2], ARGV[1])
else
    redis.call('HSET', KEYS[2], ARGV[1], ARGV[6] .. ':' .. ARGV[2])
    redis.call('EXPIRE', KEYS[2], 86400)
end
redis.call('PUBLISH', 'alert_info_channel:' .. ARGV[4], ARGV[3])
redis.call('PUBLISH', 'alert_info_channel', ARGV[3])
return 1
