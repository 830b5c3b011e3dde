-- What one venue's part of Redis knows of itself, so that a Redis that lost its data, or went back in time, is noticed.
-- `epoch` is minted with it: another one means that everything was lost in between. `goes` counts every GO and never falls.
-- While `suspectUntil` lies ahead, an act that no live record speaks of is looked up before it may leave: a request of a
-- lost claim may still take effect until then.

local function suspect(store, untilMs, why)
  store.suspectUntil, store.why = math.max(store.suspectUntil, untilMs), why
end

local function packStore(store)
  return table.concat({ '1', store.epoch, text(store.goes), text(store.suspectUntil), store.why }, '\n')
end

local function parseStore(raw)
  local version, epoch, goes, suspectUntil, why = string.match(raw, '^(.-)\n(.-)\n(.-)\n(.-)\n(.*)$')
  if version ~= '1' then error('fillsafe: store version ' .. tostring(version) .. ' is newer than this worker') end
  return { epoch = epoch, goes = tonumber(goes), suspectUntil = tonumber(suspectUntil), why = why }
end

-- The store as it is, compared with what the caller has seen of it ('' and 0: nothing yet); and whether it has changed.
local function readStore(raw, now, micros, quiesceMs, seenEpoch, seenGoes)
  if not raw then
    local store = { epoch = text(micros), goes = seenGoes, suspectUntil = 0, why = '' }
    suspect(store, now + quiesceMs, 'Redis has lost its data')
    return store, true
  end
  local store = parseStore(raw)
  if seenEpoch ~= '' and seenEpoch ~= store.epoch then
    suspect(store, now + quiesceMs, 'Redis holds other data than before')
    return store, true
  end
  if seenGoes > store.goes then
    store.goes = seenGoes
    suspect(store, now + quiesceMs, 'Redis has gone back in time')
    return store, true
  end
  return store, false
end

-- What a worker remembers of the store: epoch:goes:ms of suspicion left:why.
local function markOf(store, now)
  return store.epoch .. ':' .. text(store.goes) .. ':' .. text(math.max(store.suspectUntil - now, 0)) .. ':' .. store.why
end
