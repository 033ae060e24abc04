-- Returns a function that answers a line: a board under test; see boards.py.
local sealed, registration = require("doorstep_sealed"), require("doorstep_register")
local flash, broken, device = "", false, nil

local function unhex(text)
  return ((text or ""):gsub("..", function(pair) return string.char(tonumber(pair, 16)) end))
end

local function hex(data)
  return (data:gsub(".", function(one) return ("%02x"):format(one:byte()) end))
end

local function load() return flash end

local function store(state)
  assert(not broken, "storage")
  flash = state
end

local commands = {}
function commands.flash(state) flash = unhex(state) end
commands["break"] = function() broken = true end
function commands.boot(device_id)
  device = nil
  device = sealed.boot(device_id, load, store)
end
function commands.state() return hex(flash) end
function commands.sequence(number) device.next_sequence = tonumber(number) end
function commands.seal(channel, plaintext) return hex(device:seal(channel, unhex(plaintext))) end
function commands.proof() return device:proof() end
function commands.owner(nonce) sealed.change_owner(load, store, unhex(nonce)) end

function commands.ask(token)
  local _, request = registration.seal_request(device, token)
  return hex(request)
end
function commands.reply(sequence, text)
  local said = registration.open_reply(device, tonumber(sequence), unhex(text))
  if said.status ~= "bound" then return said.status end
  return ("bound %d %s:%d"):format(said.epoch, said.mqtt.host, said.mqtt.port)
end
function commands.skip(epoch) registration.skip_to(load, store, tonumber(epoch)) end

local words_for = {
  size = "misuse",
  ["device id"] = "misuse",
  token = "misuse",
  ["epoch too far"] = "misuse",
}

return function(line)
  local words = {}
  for word in line:gmatch("%S+") do words[#words + 1] = word end
  local done, shown = pcall(commands[words[1]], words[2], words[3])
  if done then return shown and "ok " .. shown or "ok" end
  local reason = shown:match("([%a_ ]+)$"):gsub("^ ", "")
  return words_for[reason] or (reason:gsub(" ", "_"))
end
