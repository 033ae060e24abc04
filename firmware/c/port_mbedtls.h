/* AES and SHA-256 of Mbed TLS 2.28 or 3 (ESP-IDF 4.4 and 5, which run them on the chip's accelerators):
   header-only. `context` points to a doorstep_mbedtls after mbedtls_aes_init(&it.aes). */
#ifndef DOORSTEP_PORT_MBEDTLS_H
#define DOORSTEP_PORT_MBEDTLS_H

#include <mbedtls/aes.h>
#include <mbedtls/sha256.h>
#include <mbedtls/version.h>
#include <stdlib.h>

#include "doorstep_sealed.h"

typedef struct {
    mbedtls_aes_context aes;
} doorstep_mbedtls;

/* These calls fail only where the accelerator or the heap does. What they leave behind must not be sent. */
static inline void doorstep_mbedtls_must(int result)
{
    if (result != 0)
        abort();
}

static inline void doorstep_mbedtls_aes_key(void *context, const uint8_t key[16])
{
    doorstep_mbedtls_must(mbedtls_aes_setkey_enc(&((doorstep_mbedtls *)context)->aes, key, 128));
}

static inline void doorstep_mbedtls_aes_encrypt(void *context, const uint8_t in[16], uint8_t out[16])
{
    doorstep_mbedtls_must(
        mbedtls_aes_crypt_ecb(&((doorstep_mbedtls *)context)->aes, MBEDTLS_AES_ENCRYPT, in, out));
}

static inline void doorstep_mbedtls_sha256(void *context, const uint8_t *data, size_t length, uint8_t digest[32])
{
    (void)context;
#if MBEDTLS_VERSION_MAJOR >= 3
    doorstep_mbedtls_must(mbedtls_sha256(data, length, digest, 0));
#else
    doorstep_mbedtls_must(mbedtls_sha256_ret(data, length, digest, 0));
#endif
}

#endif
