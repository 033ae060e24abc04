/* The ESP32's AES accelerator by its own driver, for Arduino-ESP32: header-only. SHA-256 is port_mbedtls.h's,
   state is port_esp_nvs.h's. Never run on a chip: see firmware/README.md. `context` points to a doorstep_esp_aes. */
#ifndef DOORSTEP_PORT_ARDUINO_ESP32_H
#define DOORSTEP_PORT_ARDUINO_ESP32_H

#include <aes/esp_aes.h>
#include <stdlib.h>

#include "port_esp_nvs.h"
#include "port_mbedtls.h"

typedef struct {
    esp_aes_context aes;
} doorstep_esp_aes;

static inline void doorstep_esp_aes_key(void *context, const uint8_t key[16])
{
    esp_aes_context *aes = &((doorstep_esp_aes *)context)->aes;
    esp_aes_init(aes);
    doorstep_mbedtls_must(esp_aes_setkey(aes, key, 128));
}

static inline void doorstep_esp_aes_encrypt(void *context, const uint8_t in[16], uint8_t out[16])
{
    doorstep_mbedtls_must(esp_aes_crypt_ecb(&((doorstep_esp_aes *)context)->aes, ESP_AES_ENCRYPT, in, out));
}

static const doorstep_port doorstep_esp32_port_template = {
    NULL,  /* set context to your doorstep_esp_aes */
    doorstep_esp_aes_key, doorstep_esp_aes_encrypt, doorstep_mbedtls_sha256, doorstep_nvs_load, doorstep_nvs_store};

#endif
