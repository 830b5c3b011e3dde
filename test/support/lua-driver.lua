-- Runs the scripts of a Redis that lives in the test's own process. A script that calls Redis pauses here: the test reads
-- what it wants, does it, and lets it go on. Values cross as text: parts end with the unit separator.

local END = '\31'
local scripts, running = {}, nil

local function parts(text)
  local found = {}
  for part in string.gmatch(text, '([^\31]*)\31') do found[#found + 1] = part end
  return found
end

local function join(values, form)
  local texts = {}
  for i, value in ipairs(values) do texts[i] = form(value) .. END end
  return table.concat(texts)
end

local function go(...)
  local ok, value = coroutine.resume(running, ...)
  if not ok then return '!' .. tostring(value) end
  if coroutine.status(running) ~= 'dead' then return '?' .. value end
  if type(value) ~= 'table' then error('a script answers a list, not a ' .. type(value)) end
  return '=' .. join(value, function(each)
    -- A number loses what is behind its point on the way out of Redis.
    if type(each) == 'number' then return string.format('%.0f', each < 0 and math.ceil(each) or math.floor(each)) end
    if type(each) ~= 'string' then error('a script answers strings and numbers, not a ' .. type(each)) end
    return each
  end)
end

function load(name, text)
  local script, problem = loadstring(text, '@' .. name)
  if not script then error(problem) end
  scripts[name] = script
  return ''
end

function begin(name, keys, argv)
  rawset(_G, 'KEYS', parts(keys))
  rawset(_G, 'ARGV', parts(argv))
  running = coroutine.create(scripts[name])
  return go()
end

-- A reply: + text, : number, - nothing, = status, * list of texts and nothings.
function reply(text)
  local kind, rest = string.sub(text, 1, 1), string.sub(text, 2)
  if kind == '+' then return go(rest) end
  if kind == ':' then return go(tonumber(rest)) end
  if kind == '-' then return go(false) end
  if kind == '=' then return go({ ok = rest }) end
  local list = parts(rest)
  for i, each in ipairs(list) do list[i] = string.sub(each, 1, 1) == '+' and string.sub(each, 2) end
  return go(list)
end

redis = {
  call = function(...)
    return coroutine.yield(join({ ... }, function(each)
      if type(each) == 'number' then return string.format('%.17g', each) end
      if type(each) ~= 'string' then error('redis.call takes strings and numbers, not a ' .. type(each)) end
      return each
    end))
  end,
  sha1hex = function(text) return coroutine.yield(join({ 'redis.sha1hex', text }, tostring)) end,
}

local ESCAPES = { ['"'] = '\\"', ['\\'] = '\\\\', ['/'] = '\\/', ['\b'] = '\\b', ['\f'] = '\\f', ['\n'] = '\\n',
  ['\r'] = '\\r', ['\t'] = '\\t' }
local function quoted(text)
  return '"' .. string.gsub(text, '[%c"\\/\127]', function(each)
    return ESCAPES[each] or string.format('\\u%04x', string.byte(each))
  end) .. '"'
end

local function encode(value)
  local kind = type(value)
  if kind == 'string' then return quoted(value) end
  if kind == 'number' then return string.format('%.14g', value) end
  if kind == 'boolean' then return tostring(value) end
  if kind ~= 'table' then error('cjson.encode of a ' .. kind) end
  local texts = {}
  if #value > 0 then
    for i, each in ipairs(value) do texts[i] = encode(each) end
    return '[' .. table.concat(texts, ',') .. ']'
  end
  for key, each in pairs(value) do texts[#texts + 1] = quoted(key) .. ':' .. encode(each) end
  return '{' .. table.concat(texts, ',') .. '}'
end

cjson = {
  encode = encode,
  -- The test reads the JSON and answers it as Lua.
  decode = function(text) return loadstring('return ' .. coroutine.yield(join({ 'cjson.decode', text }, tostring)))() end,
}

-- As in Redis: a script that forgets `local` fails.
setmetatable(_G, {
  __newindex = function(_, name) error("Script attempted to create global variable '" .. tostring(name) .. "'") end,
  __index = function(_, name) error("Script attempted to access nonexistent global variable '" .. tostring(name) .. "'") end,
})
