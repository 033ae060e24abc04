-- Answers "cut after N steps": the power fails inside the N-th change of the file system while the state goes
-- from old to new. The answer is what the next boot loads.
local files, steps

local function change(now, half)
  if steps == 0 then
    if half then half() end
    error("power cut")
  end
  steps = steps - 1
  now()
end

file = {
  exists = function(name) return files[name] ~= nil end,
  getcontents = function(name) return files[name] end,
  putcontents = function(name, data)
    change(function() files[name] = data end, function() files[name] = data:sub(1, 20) end)
    return true
  end,
  remove = function(name) change(function() files[name] = nil end) end,
  rename = function(old, new)
    if files[new] or not files[old] then return false end
    change(function() files[new], files[old] = files[old], nil end)
    return true
  end,
}

local store = require("doorstep_store")
local old, middle, new = ("o"):rep(36), ("m"):rep(36), ("n"):rep(36)
local names = { [old] = "old", [middle] = "middle", [new] = "new" }

return function(line)
  files, steps = { ["sealed.bin"] = old }, tonumber(line)
  pcall(store.store, middle)
  steps = 99
  local first = store.load()
  store.store(new) -- what a cut left behind does not disturb the next boot
  return names[first] .. " " .. names[store.load()]
end
