/* AES-128 (FIPS 197) and SHA-256 (FIPS 180-4) in plain C, for hosts, tests, and chips that bring neither.
   Table look-ups take a time that depends on the key where memory is cached: on such a chip use its AES. */
#ifndef DOORSTEP_PORT_SOFT_H
#define DOORSTEP_PORT_SOFT_H

#include <stddef.h>
#include <stdint.h>

/* The first field of what `doorstep_port.context` points to, when these functions are its functions. */
typedef struct {
    uint8_t key[16];
} doorstep_soft;

void doorstep_soft_aes_key(void *context, const uint8_t key[16]);
void doorstep_soft_aes_encrypt(void *context, const uint8_t in[16], uint8_t out[16]);
void doorstep_soft_sha256(void *context, const uint8_t *data, size_t length, uint8_t digest[32]);

#endif
