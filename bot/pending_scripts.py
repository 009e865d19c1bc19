"""The Lua scripts of the work queue. The time is always an argument; Redis 6.2 is enough.

Keys: 1 due (sorted set, scored by *not before*), 2 flight (hash: work to token), 3 leases (sorted set, scored by the
lease's end), 4 again (hash: work to the earliest mark made while in flight), 5 causes (hash), 6 failures (hash),
7 wake (list), 8 blocked (hash: work to the time before which no mark makes it due, since it failed), 9 handed (hash:
work to how often it was handed out since it became due, and when it is handed out again: `2:1767225600.000`).

A script that fails half way leaves what it wrote, so whatever makes a repetition do nothing is written last."""

MARK = """
if ARGV[1] ~= '' and redis.call('EXISTS', KEYS[10]) == 1 then return 0 end
if ARGV[3] ~= '' then
  local old = redis.call('HGET', KEYS[11], ARGV[3])
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
  redis.call('HSET', KEYS[11], ARGV[3], cjson.encode(new))
  redis.call('ZADD', KEYS[12], new.seen, ARGV[3])
  local over = redis.call('ZCARD', KEYS[12]) - tonumber(ARGV[5])
  if over > 0 then
    local gone = redis.call('ZRANGE', KEYS[12], 0, over - 1)
    redis.call('HDEL', KEYS[11], unpack(gone))
    redis.call('ZREM', KEYS[12], unpack(gone))
  end
end
for index = 8, #ARGV do
  local work = ARGV[index]
  if redis.call('HEXISTS', KEYS[2], work) == 1 then
    local again = redis.call('HGET', KEYS[4], work)
    if not again or tonumber(ARGV[6]) < tonumber(again) then redis.call('HSET', KEYS[4], work, ARGV[6]) end
  else
    local at, blocked = ARGV[6], redis.call('HGET', KEYS[8], work)
    if blocked and tonumber(blocked) > tonumber(at) then at = blocked end
    redis.call('ZADD', KEYS[1], 'LT', at, work)
  end
  redis.call('HSET', KEYS[5], work, ARGV[7])
end
redis.call('LPUSH', KEYS[7], '1')
redis.call('LTRIM', KEYS[7], 0, 0)
if ARGV[1] ~= '' then redis.call('SET', KEYS[10], '1', 'EX', ARGV[2]) end
return 1
"""
"""ARGV: delivery, its life, digest, sighting as JSON, sightings kept, not before, cause, works ...
KEYS 10 delivery, 11 sightings (hash: digest -> JSON), 12 their order (sorted set)."""

HAND_OUT = """
local works = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', ARGV[1], 'LIMIT', 0, ARGV[2])
local now, pause, out = tonumber(ARGV[1]), ARGV[3] - ARGV[1], {}
for _, work in ipairs(works) do
  local times, again = 1, now + pause
  local count, at = string.match(redis.call('HGET', KEYS[9], work) or '', '^(%d+):(.+)$')
  if at and tonumber(at) > now then
    again = math.min(again, tonumber(at))
  else
    if count then times = math.min(tonumber(count) + 1, tonumber(ARGV[4])) end
    again = now + pause * 2 ^ (times - 1)
    table.insert(out, work)
  end
  redis.call('HSET', KEYS[9], work, times .. ':' .. string.format('%.3f', again))
  redis.call('ZADD', KEYS[1], again, work)
end
return out
"""
"""ARGV: now, limit, again at, how many times the pause until again is doubled at most, plus one.

What a mark made due again while its message is under way is not sent a second time: the message will find it."""

CLAIM = """
if redis.call('HEXISTS', KEYS[2], ARGV[1]) == 1 then return false end
local at = redis.call('ZSCORE', KEYS[1], ARGV[1])
if not at then return false end
if tonumber(at) > tonumber(ARGV[4]) and redis.call('HEXISTS', KEYS[9], ARGV[1]) == 0 then return false end
redis.call('ZREM', KEYS[1], ARGV[1])
redis.call('HDEL', KEYS[9], ARGV[1])
redis.call('HSET', KEYS[2], ARGV[1], ARGV[2])
redis.call('ZADD', KEYS[3], ARGV[3], ARGV[1])
return {redis.call('HGET', KEYS[5], ARGV[1]) or '', redis.call('HGET', KEYS[6], ARGV[1]) or '0'}
"""
"""ARGV: work, token, lease's end, now."""

RELEASE = """
if redis.call('HGET', KEYS[2], ARGV[1]) ~= ARGV[2] then return 0 end
redis.call('HDEL', KEYS[2], ARGV[1])
redis.call('ZREM', KEYS[3], ARGV[1])
if ARGV[4] == '' then redis.call('HDEL', KEYS[6], ARGV[1]) else redis.call('HINCRBY', KEYS[6], ARGV[1], 1) end
redis.call('HDEL', KEYS[8], ARGV[1])
local at, again = ARGV[3], redis.call('HGET', KEYS[4], ARGV[1])
redis.call('HDEL', KEYS[4], ARGV[1])
local blocks = ARGV[4] == 'blocks'
if again and (at == '' or (tonumber(again) < tonumber(at)) ~= blocks) then at = again end
if blocks and at ~= '' then redis.call('HSET', KEYS[8], ARGV[1], at) end
if at == '' then
  redis.call('HDEL', KEYS[5], ARGV[1])
else
  redis.call('ZADD', KEYS[1], at, ARGV[1])
  redis.call('LPUSH', KEYS[7], '1')
  redis.call('LTRIM', KEYS[7], 0, 0)
end
return 1
"""
"""ARGV: work, token, due again at (or empty), how it ended: empty, `failed`, or `blocks` (see 8)."""

EXPIRE = """
local works = redis.call('ZRANGEBYSCORE', KEYS[3], '-inf', ARGV[1])
local found = {}
for _, work in ipairs(works) do
  local failures, at = redis.call('HINCRBY', KEYS[6], work, 1), tonumber(ARGV[1])
  table.insert(found, {work, failures, redis.call('HGET', KEYS[5], work) or ''})
  if failures > 1 and string.sub(work, 1, 6) == '["unit' then
    at = at + math.min(2 ^ math.min(failures, 16), tonumber(ARGV[2]))
    redis.call('HSET', KEYS[8], work, at)
  end
  redis.call('HDEL', KEYS[2], work)
  redis.call('ZREM', KEYS[3], work)
  redis.call('HDEL', KEYS[4], work)
  redis.call('ZADD', KEYS[1], at, work)
end
return found
"""
"""ARGV: now, the longest pause. A lease that ends once is due again at once, for its worker may only have been stopped;
a unit whose lease ends again and again may be what kills its workers, and waits longer each time."""
