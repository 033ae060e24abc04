-- A board in the field as the article builds it, in NodeMCU's dialect: asks for a session id, sends one value
-- under it and leaves; with `answer` in its config it listens first, and answers what it hears with that.

local config = require("config")
local topic = "d/" .. config.device_id .. "/"
local hex, bytes = encoder.toHex, encoder.fromHex

local function mac(...) return hex(crypto.hmac("SHA1", table.concat({ ... }), config.passphrase)) end

local function seal(value, session)
  local iv = string.format("%8x%8x", math.random(0, 2147483646), math.random(0, 2147483646))
  local function sealed(text) return hex(crypto.encrypt("AES-CBC", config.datakey, text, iv)) end
  local wrapped = hex(crypto.encrypt("AES-CBC", config.ivkey, iv, config.staticiv))
  local node = config.node_id
  return table.concat({ wrapped, sealed(node), sealed(value), mac(node, iv, value, session) }, ",")
end

local function open(message, session)
  local wrapped, node, value, claimed = message:match("^(%x+),(%x+),(%x+),(%x+)$")
  local iv = crypto.decrypt("AES-CBC", config.ivkey, bytes(wrapped), config.staticiv)
  local function opened(text)
    return (crypto.decrypt("AES-CBC", config.datakey, bytes(text), iv):gsub("%z+$", ""))
  end
  assert(mac(opened(node), iv, opened(value), session) == claimed, "forged")
  return opened(node), opened(value)
end

local listening = "0123456789abcdef0123456789abcdef"
local value = config.value
local client = mqtt.Client(config.device_id, 60, config.device_id, config.password)

client:on("message", function(connected, from, message)
  if from == topic .. "down/article" then
    local node, heard = open(message, listening)
    print("heard " .. heard .. " of " .. node)
    value = config.answer
    connected:publish(topic .. "up/session", "", 1, 0)
  elseif value then
    connected:publish(topic .. "up/article", seal(value, message), 1, 0, function()
      print("sent")
      connected:close()
    end)
  end
end)

client:connect(config.host, config.port, false, function(connected)
  connected:subscribe(topic .. "down/#", 0, function()
    connected:publish(topic .. "up/session", config.answer and listening or "", 1, 0, function()
      print("ready")
    end)
  end)
end, function(_, reason) print("not connected: " .. reason) end)
