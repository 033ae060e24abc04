#include "doorstep_sealed.h"

#include <string.h>

#define BLOCK 16
#define KEY 16
#define NONCE 13
#define TAG 8
#define DIGEST 32
#define HMAC_BLOCK 64
#define MAX_INFO 64 /* the longest is the owner change: label 31, nonce 16, counter 1 */
#define MAX_CHANNEL 64
#define MAX_SEQUENCE 0xffffu
#define MAX_EPOCH 0x7fffffffu /* so the first bit of a stored epoch says that none is left */
#define WINDOW 64
#define FULL_START 0xd0
#define FLAG_KID 0x08u /* flag bits of RFC 8613 section 6.1 */
#define FLAG_CONTEXT 0x10u
#define SEQUENCE_WIDTH 0x07u
#define BYTES 0x40u /* CBOR byte string, RFC 8949 section 3.1 */

static void wipe(void *memory, size_t length)
{
    volatile uint8_t *byte = memory;
    while (length--)
        *byte++ = 0;
}

/* --- key schedule, section 3 --- */

static void hmac(const doorstep_port *port, const uint8_t *key, size_t key_length, const uint8_t *data,
                 size_t length, uint8_t digest[DIGEST])
{
    uint8_t block[HMAC_BLOCK + MAX_INFO];
    uint8_t pad = 0x36;
    for (;;) {
        memset(block, pad, HMAC_BLOCK);
        for (size_t i = 0; i < key_length; i++)
            block[i] ^= key[i];
        memcpy(block + HMAC_BLOCK, data, length);
        port->sha256(port->context, block, HMAC_BLOCK + length, digest);
        if (pad == 0x5c)
            break;
        pad = 0x5c;
        data = digest;
        length = DIGEST;
    }
    wipe(block, sizeof block);
}

/* The first block of HKDF-Expand, with `label` and `nonce` (none or 16 bytes) as info. */
static void expand(const doorstep_port *port, const uint8_t root[DIGEST], const char *label,
                   const uint8_t *nonce, uint8_t out[DIGEST])
{
    uint8_t info[MAX_INFO];
    size_t length = strlen(label);
    memcpy(info, label, length);
    if (nonce) {
        memcpy(info + length, nonce, 16);
        length += 16;
    }
    info[length++] = 1;
    hmac(port, root, DIGEST, info, length, out);
}

static size_t put_shortest(uint8_t *out, uint32_t number)
{
    size_t size = 1;
    while (size < 4 && number >> 8 * size)
        size++;
    for (size_t i = size; i--; number >>= 8)
        out[i] = (uint8_t)number;
    return size;
}

/* RFC 8613 section 3.2.1: info is the array [id, epoch bytes, 10, type, length]; the id is the kid or empty.
   `rest` is the last three as CBOR, and the counter of HKDF-Expand. */
static void derive(const doorstep_device *device, const uint8_t secret[DIGEST], size_t id_length,
                   const char *rest, uint8_t out[DIGEST])
{
    uint8_t info[MAX_INFO];
    uint8_t *at = info;
    *at++ = 0x85;
    *at++ = (uint8_t)(BYTES + id_length);
    memcpy(at, device->kid, id_length);
    at += id_length;
    size_t size = put_shortest(at + 1, device->epoch);
    *at = (uint8_t)(BYTES + size);
    at += 1 + size;
    while (*rest)
        *at++ = (uint8_t)*rest++;
    hmac(device->port, secret, DIGEST, info, (size_t)(at - info), out);
}

static void derive_keys(doorstep_device *device, const uint8_t root[DIGEST])
{
    uint8_t secret[DIGEST];
    expand(device->port, root, "doorstep sealed v1 master secret", NULL, secret);
    /* HKDF-Extract with an empty salt, over the 16 bytes of the master secret. */
    hmac(device->port, NULL, 0, secret, KEY, secret);
    derive(device, secret, sizeof device->kid, "\x0a\x63Key\x10\x01", device->keys[true]);
    derive(device, secret, 0, "\x0a\x63Key\x10\x01", device->keys[false]);
    derive(device, secret, 0, "\x0a\x62IV\x0d\x01", device->common_iv);
    wipe(secret, sizeof secret);
}

/* Replace the stored root by what `label` and `nonce` make of it; `state` becomes what was stored before. */
static doorstep_result replace_root(const doorstep_port *port, const char *label, const uint8_t *nonce,
                                    bool step, uint8_t state[DOORSTEP_STATE_SIZE])
{
    uint8_t next[DOORSTEP_STATE_SIZE];
    if (!port->load(port->context, state))
        return DOORSTEP_STORAGE;
    if (state[0] & 0x80)
        return DOORSTEP_LAST_EPOCH;
    memcpy(next, state, 4);
    for (int i = 3; step; i--)
        step = ++next[i] == 0;
    expand(port, state + 4, label, nonce, next + 4);
    bool stored = port->store(port->context, next);
    wipe(next, sizeof next);
    return stored ? DOORSTEP_OK : DOORSTEP_STORAGE;
}

/* The kid is the device id in base32, lower case (S-1). */
static bool put_kid(uint8_t kid[5], const char *device_id)
{
    uint32_t held = 0;
    for (int bits = 5; bits <= 40; bits += 5) {
        unsigned digit = (unsigned)*device_id - 'a';
        if (digit > 25) {
            digit = (unsigned)*device_id - '2' + 26;
            if (digit < 26 || digit > 31)
                return false;
        }
        device_id++;
        held = held << 5 | digit;
        if (bits % 8 < 5)
            *kid++ = (uint8_t)(held >> bits % 8);
    }
    return *device_id == 0;
}

doorstep_result doorstep_boot(doorstep_device *device, const doorstep_port *port, const char *device_id)
{
    uint8_t state[DOORSTEP_STATE_SIZE];
    memset(device, 0, sizeof *device);
    device->next_sequence = MAX_SEQUENCE + 1; /* seals nothing before the state is stored */
    device->high = -1;
    if (!put_kid(device->kid, device_id))
        return DOORSTEP_MISUSE;
    doorstep_result result = replace_root(port, "doorstep sealed v1 ratchet", NULL, true, state);
    if (result == DOORSTEP_OK) {
        for (int i = 0; i < 4; i++)
            device->epoch = device->epoch << 8 | state[i];
        device->port = port;
        derive_keys(device, state + 4);
        device->next_sequence = 0;
    }
    wipe(state, sizeof state);
    return result;
}

doorstep_result doorstep_change_owner(const doorstep_port *port, const uint8_t nonce[16])
{
    uint8_t state[DOORSTEP_STATE_SIZE];
    doorstep_result result = replace_root(port, "doorstep sealed v1 owner change", nonce, false, state);
    wipe(state, sizeof state);
    return result;
}

/* --- AES-CCM, RFC 3610 with L = 2 and M = 8 --- */

/* Run CBC-MAC on over `data`, padded with zeros to whole blocks. */
static void authenticate(const doorstep_port *port, uint8_t mac[BLOCK], const uint8_t *data, size_t length)
{
    while (length) {
        for (size_t i = 0; i < BLOCK && length; i++, length--)
            mac[i] ^= *data++;
        port->aes_encrypt(port->context, mac, mac);
    }
}

/* The additional data of S-10 behind its length, as RFC 3610 section 2.2 wants it. */
static void authenticate_channel(const doorstep_port *port, uint8_t mac[BLOCK], const char *channel)
{
    static const char start[16] = "\0\0\x83\x68" "Encrypt0\x43\xa1\x01\x0a";
    uint8_t data[sizeof start + 2 + MAX_CHANNEL];
    size_t length = strlen(channel);
    uint8_t *at = data + sizeof start;
    memcpy(data, start, sizeof start);
    if (length >= 24)
        *at++ = BYTES + 24;
    *at++ = (uint8_t)(length < 24 ? BYTES + length : length);
    memcpy(at, channel, length);
    at += length;
    data[1] = (uint8_t)(at - data - 2);
    authenticate(port, mac, data, (size_t)(at - data));
}

/* Turn `in` into `out` and make the tag of the plaintext: that is `in` on the way up, `out` on the way down. */
static void ccm(const doorstep_device *device, bool up, uint32_t sequence, const char *channel,
                const uint8_t *in, uint8_t *out, size_t length, uint8_t tag[TAG])
{
    const doorstep_port *port = device->port;
    uint8_t block[BLOCK], stream[BLOCK], mac[BLOCK], last[BLOCK];
    port->aes_key(port->context, device->keys[up]);
    /* The nonce (S-7). The platform's sender id is empty, so its Base IV is the Common IV. */
    memcpy(block + 1, device->common_iv, NONCE);
    if (up) {
        block[1] ^= sizeof device->kid;
        for (size_t i = 0; i < sizeof device->kid; i++)
            block[4 + i] ^= device->kid[i];
    }
    block[12] ^= (uint8_t)(sequence >> 8);
    block[13] ^= (uint8_t)sequence;
    block[0] = 0x59; /* additional data, M = 8, L = 2 */
    block[14] = (uint8_t)(length >> 8);
    block[15] = (uint8_t)length;
    memset(mac, 0, BLOCK);
    authenticate(port, mac, block, BLOCK);
    authenticate_channel(port, mac, channel);
    block[0] = 1; /* from here on a counter block */
    block[14] = block[15] = 0;
    port->aes_encrypt(port->context, block, last);
    while (length) {
        size_t size = length < BLOCK ? length : BLOCK;
        if (++block[15] == 0)
            block[14]++;
        port->aes_encrypt(port->context, block, stream);
        if (up)
            authenticate(port, mac, in, size);
        for (size_t i = 0; i < size; i++)
            out[i] = in[i] ^ stream[i];
        if (!up)
            authenticate(port, mac, out, size);
        in += size;
        out += size;
        length -= size;
    }
    for (size_t i = 0; i < TAG; i++)
        tag[i] = mac[i] ^ last[i];
    wipe(stream, sizeof stream);
}

static bool is_channel(const char *channel)
{
    return strlen(channel) - 1 < MAX_CHANNEL;
}

/* --- up --- */

doorstep_result doorstep_seal(doorstep_device *device, const char *channel, const uint8_t *plaintext,
                              size_t length, uint8_t *message, size_t capacity, size_t *message_length)
{
    if (device->next_sequence > MAX_SEQUENCE)
        return DOORSTEP_EPOCH_USED_UP;
    if (!is_channel(channel) || length > DOORSTEP_MAX_PLAINTEXT || capacity < length + DOORSTEP_MAX_OVERHEAD)
        return DOORSTEP_MISUSE;
    size_t width = put_shortest(message + 2, device->next_sequence);
    size_t epoch = put_shortest(message + 3 + width, device->epoch);
    size_t end = 3 + width + epoch;
    message[0] = (uint8_t)(end - 1);
    message[1] = (uint8_t)(FLAG_CONTEXT | width);
    message[2 + width] = (uint8_t)epoch;
    message += end;
    ccm(device, true, device->next_sequence++, channel, plaintext, message, length, message + length);
    *message_length = end + length + TAG;
    return DOORSTEP_OK;
}

doorstep_result doorstep_proof(doorstep_device *device, char proof[DOORSTEP_PROOF_SIZE])
{
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    uint8_t message[DOORSTEP_MAX_OVERHEAD + 3] = {0}; /* one zero byte behind, for the last character */
    size_t length;
    doorstep_result result =
        doorstep_seal(device, "connect", (const uint8_t *)"v1", 2, message, sizeof message - 1, &length);
    if (result != DOORSTEP_OK)
        return result;
    for (size_t bit = 0; bit < 8 * length; bit += 6) {
        unsigned two = (unsigned)message[bit / 8] << 8 | message[bit / 8 + 1];
        *proof++ = alphabet[two >> (10 - bit % 8) & 0x3f];
    }
    *proof = 0;
    return DOORSTEP_OK;
}

/* --- down --- */

/* A message, taken apart from its front. What does not fit makes it bad; reading on gives zeros. In the end
   what is left is the ciphertext with the tag. */
typedef struct {
    const uint8_t *at;
    size_t left;
    uint32_t epoch;
    uint32_t sequence;
    size_t kid_length;
    unsigned is_bad;
} envelope;

static uint8_t take_byte(envelope *from)
{
    if (from->left == 0) {
        from->is_bad = 1;
        return 0;
    }
    from->left--;
    return *from->at++;
}

static void take_these(envelope *from, const char *wanted, size_t length)
{
    while (length--)
        from->is_bad |= take_byte(from) ^ (uint8_t)*wanted++;
}

/* A number of so many bytes, in its shortest form. */
static uint32_t take_number(envelope *from, size_t size, uint32_t limit)
{
    uint32_t value = 0;
    if (size - 1 > 3)
        from->is_bad = size = 1;
    while (size--) {
        value = value << 8 | take_byte(from);
        from->is_bad |= value == 0 && size;
    }
    from->is_bad |= value > limit;
    return value;
}

/* The length in front of a CBOR byte string, in its shortest form. */
static size_t take_length(envelope *from)
{
    size_t length = (size_t)take_byte(from) - BYTES;
    if (length >= 24) {
        length = take_number(from, length - 23, DOORSTEP_MAX_MESSAGE);
        from->is_bad |= length < 24;
    }
    return length;
}

static void take_kid(envelope *from, size_t length)
{
    from->kid_length = length;
    if (length && length != 5)
        from->is_bad = 1;
    else
        while (length--)
            take_byte(from);
}

static bool parse(const uint8_t *message, size_t length, envelope *found)
{
    memset(found, 0, sizeof *found);
    found->at = message;
    found->left = length;
    uint8_t first = take_byte(found);
    if (first == FULL_START) {
        take_these(found, "\x83\x43\xa1\x01\x0a\xa3\x04", 7);
        take_kid(found, take_length(found));
        take_these(found, "\x06", 1);
        found->sequence = take_number(found, take_length(found), MAX_SEQUENCE);
        take_these(found, "\x0a", 1);
        found->epoch = take_number(found, take_length(found), MAX_EPOCH);
        found->is_bad |= take_length(found) != found->left;
    } else {
        uint8_t flags = take_byte(found);
        found->sequence = take_number(found, flags & SEQUENCE_WIDTH, MAX_SEQUENCE);
        found->epoch = take_number(found, take_byte(found), MAX_EPOCH);
        take_kid(found, first + 1 - (length - found->left));
        found->is_bad |= (flags & ~(FLAG_KID | SEQUENCE_WIDTH)) ^ FLAG_CONTEXT;
        found->is_bad |= found->kid_length && !(flags & FLAG_KID);
    }
    return !found->is_bad && found->left >= TAG;
}

/* S-14, S-22 and S-17 in this order: everything that can be said without the key. */
static doorstep_result check(const doorstep_device *device, const uint8_t *message, size_t length,
                             envelope *found)
{
    if (length > DOORSTEP_MAX_MESSAGE)
        return DOORSTEP_OVERSIZE;
    if (!parse(message, length, found))
        return DOORSTEP_MALFORMED;
    if (found->kid_length)
        return DOORSTEP_UNKNOWN_KID;
    if (found->epoch != device->epoch)
        return found->epoch < device->epoch ? DOORSTEP_EPOCH_PAST : DOORSTEP_EPOCH_TOO_FAR;
    int32_t behind = device->high - (int32_t)found->sequence;
    if (behind >= WINDOW)
        return DOORSTEP_TOO_OLD;
    return behind >= 0 && device->window >> behind & 1 ? DOORSTEP_REPLAYED : DOORSTEP_OK;
}

static void mark(doorstep_device *device, uint32_t sequence)
{
    int32_t ahead = (int32_t)sequence - device->high;
    if (ahead > 0) {
        device->window = ahead < WINDOW ? device->window << ahead : 0;
        device->high = (int32_t)sequence;
        ahead = 0;
    }
    device->window |= (uint64_t)1 << -ahead;
}

doorstep_result doorstep_open(doorstep_device *device, const char *channel, const uint8_t *message,
                              size_t length, uint8_t *plaintext, size_t capacity, size_t *plaintext_length)
{
    envelope found;
    uint8_t tag[TAG], difference = 0;
    if (!device->port || !is_channel(channel))
        return DOORSTEP_MISUSE;
    doorstep_result result = check(device, message, length, &found);
    if (result != DOORSTEP_OK)
        return result;
    size_t size = found.left - TAG;
    if (size > capacity)
        return DOORSTEP_MISUSE;
    ccm(device, false, found.sequence, channel, found.at, plaintext, size, tag);
    for (size_t i = 0; i < TAG; i++)
        difference |= tag[i] ^ found.at[size + i];
    if (difference) {
        wipe(plaintext, size);
        return DOORSTEP_WRONG_TAG;
    }
    mark(device, found.sequence);
    *plaintext_length = size;
    return DOORSTEP_OK;
}
