#!lua
-- Delete keys under a lease.
-- KEYS: control key, keys to delete. ARGV: token.
-- Returns how many keys there were, or what differs.
if redis.call('HGET', KEYS[1], 'token') ~= ARGV[1] then
    return 'the token is another one'
end
local deleted = 0
for i = 2, #KEYS do
    deleted = deleted + redis.call('DEL', KEYS[i])
end
return deleted
