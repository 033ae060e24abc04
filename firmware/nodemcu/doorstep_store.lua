-- The 36 bytes of state in NodeMCU's flash file system, whole after a power cut at any step: SPIFFS cannot
-- rename over a file, so there is a moment with the new file alone, and `load` finishes what was begun.
-- Before the first boot the factory writes sealed.bin: four zero bytes and the root key.

local name, fresh = "sealed.bin", "sealed.new"
local M = {}

function M.load()
  if not file.exists(name) and file.exists(fresh) then file.rename(fresh, name) end
  local state = file.getcontents(name)
  assert(state and #state == 36, "storage")
  return state
end

function M.store(state)
  file.putcontents(fresh, state)
  assert(file.getcontents(fresh) == state, "storage")
  file.remove(name)
  assert(file.rename(fresh, name), "storage")
end

return M
