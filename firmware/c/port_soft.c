#include "port_soft.h"

#include <string.h>

/* --- AES-128, encryption only; round keys are made as they are needed --- */

/* FIPS 197 figure 7. */
static const uint8_t sbox[256] = {
    0x63, 0x7c, 0x77, 0x7b, 0xf2, 0x6b, 0x6f, 0xc5, 0x30, 0x01, 0x67, 0x2b, 0xfe, 0xd7, 0xab, 0x76,
    0xca, 0x82, 0xc9, 0x7d, 0xfa, 0x59, 0x47, 0xf0, 0xad, 0xd4, 0xa2, 0xaf, 0x9c, 0xa4, 0x72, 0xc0,
    0xb7, 0xfd, 0x93, 0x26, 0x36, 0x3f, 0xf7, 0xcc, 0x34, 0xa5, 0xe5, 0xf1, 0x71, 0xd8, 0x31, 0x15,
    0x04, 0xc7, 0x23, 0xc3, 0x18, 0x96, 0x05, 0x9a, 0x07, 0x12, 0x80, 0xe2, 0xeb, 0x27, 0xb2, 0x75,
    0x09, 0x83, 0x2c, 0x1a, 0x1b, 0x6e, 0x5a, 0xa0, 0x52, 0x3b, 0xd6, 0xb3, 0x29, 0xe3, 0x2f, 0x84,
    0x53, 0xd1, 0x00, 0xed, 0x20, 0xfc, 0xb1, 0x5b, 0x6a, 0xcb, 0xbe, 0x39, 0x4a, 0x4c, 0x58, 0xcf,
    0xd0, 0xef, 0xaa, 0xfb, 0x43, 0x4d, 0x33, 0x85, 0x45, 0xf9, 0x02, 0x7f, 0x50, 0x3c, 0x9f, 0xa8,
    0x51, 0xa3, 0x40, 0x8f, 0x92, 0x9d, 0x38, 0xf5, 0xbc, 0xb6, 0xda, 0x21, 0x10, 0xff, 0xf3, 0xd2,
    0xcd, 0x0c, 0x13, 0xec, 0x5f, 0x97, 0x44, 0x17, 0xc4, 0xa7, 0x7e, 0x3d, 0x64, 0x5d, 0x19, 0x73,
    0x60, 0x81, 0x4f, 0xdc, 0x22, 0x2a, 0x90, 0x88, 0x46, 0xee, 0xb8, 0x14, 0xde, 0x5e, 0x0b, 0xdb,
    0xe0, 0x32, 0x3a, 0x0a, 0x49, 0x06, 0x24, 0x5c, 0xc2, 0xd3, 0xac, 0x62, 0x91, 0x95, 0xe4, 0x79,
    0xe7, 0xc8, 0x37, 0x6d, 0x8d, 0xd5, 0x4e, 0xa9, 0x6c, 0x56, 0xf4, 0xea, 0x65, 0x7a, 0xae, 0x08,
    0xba, 0x78, 0x25, 0x2e, 0x1c, 0xa6, 0xb4, 0xc6, 0xe8, 0xdd, 0x74, 0x1f, 0x4b, 0xbd, 0x8b, 0x8a,
    0x70, 0x3e, 0xb5, 0x66, 0x48, 0x03, 0xf6, 0x0e, 0x61, 0x35, 0x57, 0xb9, 0x86, 0xc1, 0x1d, 0x9e,
    0xe1, 0xf8, 0x98, 0x11, 0x69, 0xd9, 0x8e, 0x94, 0x9b, 0x1e, 0x87, 0xe9, 0xce, 0x55, 0x28, 0xdf,
    0x8c, 0xa1, 0x89, 0x0d, 0xbf, 0xe6, 0x42, 0x68, 0x41, 0x99, 0x2d, 0x0f, 0xb0, 0x54, 0xbb, 0x16,
};

static uint8_t doubled(uint8_t value)
{
    return (uint8_t)(value << 1 ^ (value >> 7) * 0x1b);
}

/* FIPS 197 section 5.2: the round key after `key`, in its place. */
static void next_round_key(uint8_t key[16], uint8_t *constant)
{
    for (int i = 0; i < 4; i++)
        key[i] ^= sbox[key[12 + (i + 1) % 4]];
    key[0] ^= *constant;
    *constant = doubled(*constant);
    for (int i = 4; i < 16; i++)
        key[i] ^= key[i - 4];
}

/* SubBytes and ShiftRows; byte 4 * column + row. */
static void substitute_and_shift(uint8_t state[16])
{
    uint8_t before[16];
    memcpy(before, state, 16);
    for (int i = 0; i < 16; i++)
        state[i] = sbox[before[(i + 4 * (i % 4)) % 16]];
}

static void mix_columns(uint8_t state[16])
{
    for (uint8_t *column = state; column < state + 16; column += 4) {
        uint8_t first = column[0], all = column[0] ^ column[1] ^ column[2] ^ column[3];
        for (int i = 0; i < 4; i++) {
            uint8_t below = i < 3 ? column[i + 1] : first;
            column[i] ^= all ^ doubled(column[i] ^ below);
        }
    }
}

static void add_round_key(uint8_t state[16], const uint8_t key[16])
{
    for (int i = 0; i < 16; i++)
        state[i] ^= key[i];
}

void doorstep_soft_aes_key(void *context, const uint8_t key[16])
{
    memcpy(((doorstep_soft *)context)->key, key, 16);
}

void doorstep_soft_aes_encrypt(void *context, const uint8_t in[16], uint8_t out[16])
{
    uint8_t key[16], state[16], constant = 1;
    memcpy(key, ((const doorstep_soft *)context)->key, 16);
    memcpy(state, in, 16);
    add_round_key(state, key);
    for (int round = 1; round <= 10; round++) {
        substitute_and_shift(state);
        if (round < 10)
            mix_columns(state);
        next_round_key(key, &constant);
        add_round_key(state, key);
    }
    memcpy(out, state, 16);
}

/* --- SHA-256 --- */

/* FIPS 180-4 section 4.2.2. */
static const uint32_t constants[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

/* FIPS 180-4 section 5.3.3. */
static const uint32_t start[8] = {
    0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
};

static uint32_t rotated(uint32_t word, int bits)
{
    return word >> bits | word << (32 - bits);
}

/* FIPS 180-4 section 6.2.2; the schedule is a ring of 16 words. */
static void compress(uint32_t hash[8], const uint8_t block[64])
{
    uint32_t w[16], v[8];
    memcpy(v, hash, sizeof v);
    for (int t = 0; t < 64; t++) {
        uint32_t *word = &w[t % 16];
        if (t < 16) {
            const uint8_t *at = block + 4 * t;
            *word = (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
        } else {
            uint32_t w15 = w[(t + 1) % 16], w2 = w[(t + 14) % 16];
            *word += (rotated(w15, 7) ^ rotated(w15, 18) ^ w15 >> 3) + w[(t + 9) % 16] +
                     (rotated(w2, 17) ^ rotated(w2, 19) ^ w2 >> 10);
        }
        uint32_t choice = (v[4] & v[5]) ^ (~v[4] & v[6]);
        uint32_t majority = (v[0] & v[1]) ^ (v[0] & v[2]) ^ (v[1] & v[2]);
        uint32_t first = v[7] + (rotated(v[4], 6) ^ rotated(v[4], 11) ^ rotated(v[4], 25)) + choice +
                         constants[t] + *word;
        uint32_t second = (rotated(v[0], 2) ^ rotated(v[0], 13) ^ rotated(v[0], 22)) + majority;
        memmove(v + 1, v, 7 * sizeof *v);
        v[4] += first;
        v[0] = first + second;
    }
    for (int i = 0; i < 8; i++)
        hash[i] += v[i];
}

void doorstep_soft_sha256(void *context, const uint8_t *data, size_t length, uint8_t digest[32])
{
    uint32_t hash[8];
    uint8_t block[64] = {0};
    uint64_t bits = (uint64_t)length * 8;
    size_t left = length;
    (void)context;
    memcpy(hash, start, sizeof hash);
    for (; left >= 64; left -= 64, data += 64)
        compress(hash, data);
    if (left)
        memcpy(block, data, left);
    block[left] = 0x80;
    if (left >= 56) {
        compress(hash, block);
        memset(block, 0, sizeof block);
    }
    for (int i = 0; i < 8; i++)
        block[63 - i] = (uint8_t)(bits >> 8 * i);
    compress(hash, block);
    for (int i = 0; i < 32; i++)
        digest[i] = (uint8_t)(hash[i / 4] >> (24 - 8 * (i % 4)));
}
