-- Shows an alert as it is, or takes one away that is over. 1: done. 0: what is there is newer.
-- KEYS[1]  alert_info:{sn}, alert id → JSON of the open alerts
-- KEYS[2]  vitals:alert_version:{sn}, alert id → how new the state is that was shown last; outlives the alert by a day, so
--          that an older state which comes late does not bring it back
-- ARGV     alert id, how new (microseconds), JSON, serial, whether it is open (1 or 0)
local held = tonumber(redis.call('HGET', KEYS[2], ARGV[1]) or nil)
if held and held > tonumber(ARGV[2]) then return 0 end
if ARGV[5] == '0' then
    redis.call('HDEL', KEYS[1], ARGV[1])
else
    redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
end
redis.call('HSET', KEYS[2], ARGV[1], ARGV[2])
redis.call('EXPIRE', KEYS[2], 86400)
redis.call('PUBLISH', 'alert_info_channel:' .. ARGV[4], ARGV[3])
redis.call('PUBLISH', 'alert_info_channel', ARGV[3])
return 1
