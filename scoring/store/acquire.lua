#!lua
-- Take the lease of a partition.
-- KEYS: control key. ARGV: new token, partition count.
-- Returns the record as a flat list of fields and values, or the recorded partition count when it differs.
local recorded = redis.call('HGET', KEYS[1], 'partitions')
if recorded and recorded ~= ARGV[2] then
    return recorded
end
-- The same token again is a repeat after a lost reply, not another acquire.
if redis.call('HGET', KEYS[1], 'token') ~= ARGV[1] then
    redis.call('HSET', KEYS[1], 'token', ARGV[1], 'step', '', 'partitions', ARGV[2])
    redis.call('HINCRBY', KEYS[1], 'epoch', 1)
end
return redis.call('HGETALL', KEYS[1])
