#!lua
-- Apply one step of a commit, all of it or nothing: every check comes before the first write.
-- KEYS: control key, blob keys.
-- ARGV: token, step before, this step,
--       number of expected offsets, then field and offset of each ('' for absent),
--       number of fields to set, then field and value of each,
--       then for each run of blobs of one lifetime: their number, the lifetime in seconds, the values.
-- Returns 1, or what differs.
local control = KEYS[1]
local held = redis.call('HMGET', control, 'token', 'step')
if held[1] ~= ARGV[1] then
    return 'the token is another one'
end
if held[2] ~= ARGV[2] then
    return 'a step was committed that this lease has not seen'
end
local at = 5
for _ = 1, tonumber(ARGV[4]) do
    local stored = redis.call('HGET', control, ARGV[at]) or ''
    if stored ~= ARGV[at + 1] then
        return ARGV[at] .. ' is at "' .. stored .. '", expected "' .. ARGV[at + 1] .. '"'
    end
    at = at + 2
end
local fields = tonumber(ARGV[at])
at = at + 1
for _ = 1, fields do
    redis.call('HSET', control, ARGV[at], ARGV[at + 1])
    at = at + 2
end
redis.call('HSET', control, 'step', ARGV[3])
local key = 2
while at < #ARGV do
    local count, seconds = tonumber(ARGV[at]), ARGV[at + 1]
    for i = 2, count + 1 do
        redis.call('SET', KEYS[key], ARGV[at + i], 'EX', seconds)
        key = key + 1
    end
    at = at + count + 2
end
return 1
