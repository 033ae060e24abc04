-- Registers a device whose only key is its root (docs/spec/registration.md): one sealed request, one reply.
-- Needs the firmware modules http and sjson, and doorstep_sealed.

local sealed = require("doorstep_sealed")
local M = {}

-- Returns the request's sequence number and bytes; without a token it asks how the device stands.
function M.seal_request(device, token)
  token = token or ""
  assert(#token <= 128 and not token:find("[^!-~]"), "token")
  return device.next_sequence, device:seal("register", "v1" .. token)
end

-- Returns the platform's answer to request `sequence` as a table; an error for anybody else's.
function M.open_reply(device, sequence, reply)
  assert(#reply <= 1032, "oversize")
  assert(#reply >= 8, "wrong_tag")
  -- The platform's key under the request's nonce. Counter mode turns either way, so sealing it opens it.
  local nonce = sealed.xor(device.iv, ("\0"):rep(11) .. sealed.bytes(sequence, 2))
  local function turn(text) return sealed.ccm(device.down_key, nonce, "register", text) end
  local text = turn(reply:sub(1, -9)):sub(1, -9)
  local wanted, differs = turn(text), 0
  for i = 1, #reply do
    differs = bit.bor(differs, bit.bxor(reply:byte(i), wanted:byte(i)))
  end
  assert(differs == 0, "wrong_tag")
  local read, answer = pcall(sjson.decode, text)
  local known = { bound = true, held = true, disputed = true, refused = true }
  assert(read and type(answer) == "table" and known[answer.status], "bad_payload")
  local bound = answer.status == "bound"
  assert(bound == (answer.epoch ~= nil) and bound == (type(answer.mqtt) == "table"), "bad_payload")
  return answer
end

-- Runs the stored root forward to `epoch`, if it is earlier; the next boot begins there.
function M.skip_to(load, store, epoch)
  local state = load()
  local a, b, c, d = state:byte(1, 4)
  local stored, root = ((a * 256 + b) * 256 + c) * 256 + d, state:sub(5)
  assert(epoch - stored <= 1048576, "epoch too far")
  if epoch > stored then
    for _ = stored + 1, epoch do root = sealed.expand(root, "ratchet") end
    store(sealed.bytes(epoch, 4) .. root)
  end
end

-- Asks once at `server`, such as "http://iot.example.com:8080", and calls done(answer) or done(nil, why). What
-- comes back unsealed decides nothing: ask again later, with longer and longer pauses. After "bound" boot anew.
function M.ask(device, store, server, device_id, token, done)
  local sequence, request = M.seal_request(device, token)
  local address = server .. "/device/v1/sealed/" .. device_id
  http.post(address, "Content-Type: application/octet-stream\r\n", request, function(code, body)
    if code ~= 200 then return done(nil, "no sealed reply: " .. code) end
    local opened, answer = pcall(M.open_reply, device, sequence, body)
    if not opened then return done(nil, answer) end
    if answer.status == "bound" and device.epoch < answer.epoch then
      M.skip_to(store.load, store.store, answer.epoch)
    end
    done(answer)
  end)
end

return M
