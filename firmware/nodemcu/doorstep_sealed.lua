-- Sealed messages, version 1 (docs/spec/sealed.md), the sending end, for NodeMCU (Lua 5.1).
-- Needs the firmware modules bit, crypto and encoder. No number reaches 2^31, so integer builds do as well.

local band, bxor, rshift = bit.band, bit.bxor, bit.rshift
local char, byte = string.char, string.byte
local M = {}

local function xor(a, b)
  local out = {}
  for i = 1, #a do out[i] = char(bxor(byte(a, i), byte(b, i) or 0)) end
  return table.concat(out)
end

-- The lowest `size` bytes of a number, big-endian.
local function bytes(number, size)
  local out = ""
  for i = 1, size do
    out = char(band(number, 255)) .. out
    number = rshift(number, 8)
  end
  return out
end

local function shortest(number)
  local size = 1
  while size < 4 and rshift(number, 8 * size) > 0 do size = size + 1 end
  return bytes(number, size)
end

local function hmac(key, data)
  return crypto.hmac("SHA256", data, key)
end

local function expand(root, label)
  return hmac(root, "doorstep sealed v1 " .. label .. "\1")
end

-- CBOR byte string of up to 64 bytes
local function string_of(data)
  local head = #data < 24 and char(64 + #data) or char(88, #data)
  return head .. data
end

-- Stores what comes after the stored state, then returns epoch and root of that.
local function replace_root(load, store, label, step)
  local state = load()
  assert(#state == 36, "storage")
  local a, b, c, d = byte(state, 1, 4)
  assert(a < 128, "last epoch")
  local epoch, root = ((a * 256 + b) * 256 + c) * 256 + d, state:sub(5)
  store(bytes(epoch + step, 4) .. expand(root, label))
  return epoch, root
end

-- RFC 3610 with L = 2 and M = 8. Returns ciphertext and tag.
function M.ccm(key, nonce, channel, plaintext)
  local aad = "\131\104Encrypt0\67\161\1\10" .. string_of(channel)
  local function encrypt(block) return crypto.encrypt("AES-ECB", key, block) end
  local function counter(i) return encrypt("\1" .. nonce .. bytes(i, 2)) end
  local mac = encrypt("\89" .. nonce .. bytes(#plaintext, 2))
  local function authenticate(data)
    for at = 1, #data, 16 do mac = encrypt(xor(mac, data:sub(at, at + 15))) end
  end
  authenticate(bytes(#aad, 2) .. aad)
  authenticate(plaintext)
  local out = {}
  for at = 1, #plaintext, 16 do
    local i = #out + 1
    out[i] = xor(plaintext:sub(at, at + 15), counter(i))
  end
  return table.concat(out) .. xor(mac, counter(0)):sub(1, 8)
end

M.xor, M.bytes, M.expand = xor, bytes, expand

local Device = {}
Device.__index = Device

-- Begins an epoch, which `store` keeps before anything can be sent. `load()` returns and `store(text)` keeps
-- 36 bytes, whole and durable or with an error: the next epoch (4, big-endian) and its root (32).
function M.boot(device_id, load, store)
  local kid, held, bits = "", 0, 0
  assert(#device_id == 8, "device id")
  for letter in device_id:gmatch(".") do
    local digit = ("abcdefghijklmnopqrstuvwxyz234567"):find(letter, 1, true)
    held = band(held, 255) * 32 + assert(digit, "device id") - 1
    bits = bits + 5
    if bits >= 8 then
      bits = bits - 8
      kid = kid .. char(band(rshift(held, bits), 255))
    end
  end
  local epoch, root = replace_root(load, store, "ratchet", 1)
  local secret = hmac(("\0"):rep(32), expand(root, "master secret"):sub(1, 16))
  local function derive(id, rest)
    return hmac(secret, "\133" .. string_of(id) .. string_of(shortest(epoch)) .. rest)
  end
  local self = { epoch = epoch, next_sequence = 0 }
  self.down_key = derive("", "\10\99Key\16\1"):sub(1, 16)
  self.key = derive(kid, "\10\99Key\16\1"):sub(1, 16)
  self.iv = xor(derive("", "\10\98IV\13\1"):sub(1, 13), "\5\0\0" .. kid)
  return setmetatable(self, Device)
end

-- Mixes an owner change into the stored root (S-9); it counts from the next boot on.
function M.change_owner(load, store, nonce)
  replace_root(load, store, "owner change" .. nonce, 0)
end

-- The compact message for topic d/<device id>/<channel>, such as "up/data".
function Device:seal(channel, plaintext)
  local sequence = self.next_sequence
  assert(sequence < 65536, "epoch used up")
  assert(#channel > 0 and #channel <= 64 and #plaintext <= 4096, "size")
  self.next_sequence = sequence + 1
  local piv, epoch = shortest(sequence), shortest(self.epoch)
  local header = char(16 + #piv) .. piv .. char(#epoch) .. epoch
  local nonce = xor(self.iv, ("\0"):rep(11) .. bytes(sequence, 2))
  return char(#header) .. header .. M.ccm(self.key, nonce, channel, plaintext)
end

-- The password of one CONNECT on the plain listener; username and client id are the device id.
function Device:proof()
  local text = encoder.toBase64(self:seal("connect", "v1"))
  return (text:gsub("%+", "-"):gsub("/", "_"):gsub("[=%s]", ""))
end

return M
