-- Shows the newest value of a device. 1: written. 0: what is there is newer. 2: it is of a later timeline of the database.
-- KEYS[1]  the hash: name, colon, serial; the channel is name_channel:serial
-- ARGV     seconds after which the hash goes if nothing newer comes, 0: never; then field, value, …; the first four fields are
--          eventTimeUs, readVersion, deviceSn and timeline
-- A value of an earlier timeline never was, as far as the database knows: it gives way.
-- Newest by event time. At the same time the later read wins: a repeat may have filled what was missing.
-- The whole hash is replaced, so no field of an older value stays.
local held = redis.pcall('HMGET', KEYS[1], 'eventTimeUs', 'readVersion', 'timeline')
local held_at = tonumber(held[1] or nil)
local held_of, of = tonumber(held[3] or nil) or 0, tonumber(ARGV[9])
if held_at and held_of > of then return 2 end
if held_at and held_of == of then
    local at = tonumber(ARGV[3])
    if held_at > at or (held_at == at and (tonumber(held[2] or nil) or 0) > tonumber(ARGV[5])) then
        return 0
    end
end
redis.call('DEL', KEYS[1])
redis.call('HSET', KEYS[1], unpack(ARGV, 2))
if ARGV[1] ~= '0' then
    redis.call('EXPIRE', KEYS[1], ARGV[1])
end
redis.call('PUBLISH', string.match(KEYS[1], '^[^:]*') .. '_channel:' .. ARGV[7], ARGV[7])
return 1
