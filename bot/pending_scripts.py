"""The Lua scripts of the work queue. The time is always an argument; Redis 6.2 is enough.

Keys: 1 due (sorted set, scored by *not before*), 2 flight (hash: work to token), 3 leases (sorted set, scored by the
lease's end), 4 again (hash: work to the earliest mark made while in flight), 5 causes (hash), 6 failures (hash),
7 wake (list)."""

MARK = """
if ARGV[1] ~= '' and not redis.call('SET', KEYS[8], '1', 'NX', 'EX', ARGV[2]) then return 0 end
if ARGV[3] ~= '' then
  local old = redis.call('HGET', KEYS[9], ARGV[3])
  local new = cjson.decode(ARGV[4])
  if old then
    local was = cjson.decode(old)
    local both = {digest = was.digest}
    local first, second = was, new
    if new.seen < was.seen then first, second = new, was end
    both.seen = first.seen
    for _, name in ipairs({'tag', 'revision', 'source', 'created'}) do
      both[name] = first[name] or second[name]
    end
    for _, name in ipairs({'tags', 'revisions'}) do
      local known, all = {}, {}
      for _, side in ipairs({first, second}) do
        for _, one in ipairs(side[name]) do
          if not known[one] then known[one] = true; table.insert(all, one) end
        end
      end
      both[name] = all
    end
    both.links = second.links
    for name, link in pairs(first.links) do both.links[name] = link end
    new = both
  end
  redis.call('HSET', KEYS[9], ARGV[3], cjson.encode(new))
  redis.call('ZADD', KEYS[10], new.seen, ARGV[3])
  local over = redis.call('ZCARD', KEYS[10]) - tonumber(ARGV[5])
  if over > 0 then
    local gone = redis.call('ZRANGE', KEYS[10], 0, over - 1)
    redis.call('HDEL', KEYS[9], unpack(gone))
    redis.call('ZREM', KEYS[10], unpack(gone))
  end
end
for index = 8, #ARGV do
  local work = ARGV[index]
  if redis.call('HEXISTS', KEYS[2], work) == 1 then
    local again = redis.call('HGET', KEYS[4], work)
    if not again or tonumber(ARGV[6]) < tonumber(again) then redis.call('HSET', KEYS[4], work, ARGV[6]) end
  else
    redis.call('ZADD', KEYS[1], 'LT', ARGV[6], work)
  end
  redis.call('HSET', KEYS[5], work, ARGV[7])
end
redis.call('LPUSH', KEYS[7], '1')
redis.call('LTRIM', KEYS[7], 0, 0)
return 1
"""
"""ARGV: delivery, its life, digest, sighting as JSON, sightings kept, not before, cause, works ...
KEYS 8 delivery, 9 sightings (hash: digest -> JSON), 10 their order (sorted set)."""

HAND_OUT = """
local works = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', ARGV[1], 'LIMIT', 0, ARGV[2])
for _, work in ipairs(works) do redis.call('ZADD', KEYS[1], ARGV[3], work) end
return works
"""
"""ARGV: now, limit, again at."""

CLAIM = """
if redis.call('HEXISTS', KEYS[2], ARGV[1]) == 1 then return false end
if not redis.call('ZSCORE', KEYS[1], ARGV[1]) then return false end
redis.call('ZREM', KEYS[1], ARGV[1])
redis.call('HSET', KEYS[2], ARGV[1], ARGV[2])
redis.call('ZADD', KEYS[3], ARGV[3], ARGV[1])
return {redis.call('HGET', KEYS[5], ARGV[1]) or '', redis.call('HGET', KEYS[6], ARGV[1]) or '0'}
"""
"""ARGV: work, token, lease's end."""

RELEASE = """
if redis.call('HGET', KEYS[2], ARGV[1]) ~= ARGV[2] then return 0 end
redis.call('HDEL', KEYS[2], ARGV[1])
redis.call('ZREM', KEYS[3], ARGV[1])
if ARGV[4] == '1' then redis.call('HINCRBY', KEYS[6], ARGV[1], 1) else redis.call('HDEL', KEYS[6], ARGV[1]) end
local at, again = ARGV[3], redis.call('HGET', KEYS[4], ARGV[1])
redis.call('HDEL', KEYS[4], ARGV[1])
if again and (at == '' or tonumber(again) < tonumber(at)) then at = again end
if at == '' then
  redis.call('HDEL', KEYS[5], ARGV[1])
else
  redis.call('ZADD', KEYS[1], at, ARGV[1])
  redis.call('LPUSH', KEYS[7], '1')
  redis.call('LTRIM', KEYS[7], 0, 0)
end
return 1
"""
"""ARGV: work, token, due again at (or empty), whether it failed."""

EXPIRE = """
local works = redis.call('ZRANGEBYSCORE', KEYS[3], '-inf', ARGV[1])
for _, work in ipairs(works) do
  redis.call('HDEL', KEYS[2], work)
  redis.call('ZREM', KEYS[3], work)
  redis.call('HDEL', KEYS[4], work)
  redis.call('ZADD', KEYS[1], ARGV[1], work)
end
return works
"""
"""ARGV: now."""
