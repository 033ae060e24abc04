-- Registers a device with the token in config.lua, then sends one reading:
--   return { device_id = "binsypko", server = "http://iot.example.com:8080", token = "…" }

local sealed, store = require("doorstep_sealed"), require("doorstep_store")
local registration, config = require("doorstep_register"), require("config")
local id = config.device_id
local device = sealed.boot(id, store.load, store.store)

local function send(place)
  device = sealed.boot(id, store.load, store.store)
  local message = device:seal("up/data", '{"temperature":21.5}')
  local client = mqtt.Client(id, 60, id, device:proof())
  client:connect(place.host, place.port, false, function(connected)
    connected:publish("d/" .. id .. "/up/data", message, 1, 0, function()
      print("sent")
      connected:close()
    end)
  end, function(_, reason)
    print("not connected: reason " .. reason .. " of NodeMCU's mqtt module")
  end)
end

registration.ask(device, store, config.server, id, config.token, function(answer, why)
  print(answer and answer.status or why)
  if answer and answer.mqtt then send(answer.mqtt) end
end)
