-- Sends one reading at every boot; call it when Wi-Fi is up. config.lua holds what the factory put there:
--   return { device_id = "binsypko", host = "iot.example.com", port = 1883 }

local sealed, store, config = require("doorstep_sealed"), require("doorstep_store"), require("config")
local id = config.device_id
local device = sealed.boot(id, store.load, store.store)

local function send(reading)
  local message = device:seal("up/data", reading)
  -- A proof is good for one CONNECT, so every connection is a client of its own.
  local client = mqtt.Client(id, 60, id, device:proof())
  client:connect(config.host, config.port, false, function(connected)
    connected:publish("d/" .. id .. "/up/data", message, 1, 0, function()
      print("sent")
      connected:close()
    end)
  end, function(_, reason)
    print("not connected: reason " .. reason .. " of NodeMCU's mqtt module")
  end)
end

send('{"temperature":21.5}')
