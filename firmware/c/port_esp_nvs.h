/* State in the NVS partition that `doorstep factory` makes (namespace "doorstep"): header-only, ESP-IDF.
   NVS writes an entry whole or not at all. Never run on a chip: see firmware/README.md. */
#ifndef DOORSTEP_PORT_ESP_NVS_H
#define DOORSTEP_PORT_ESP_NVS_H

#include <string.h>

#include "doorstep_sealed.h"
#include "nvs.h"

/* The state; at the first boot there is none, and the factory's root_key is the root of epoch 0. */
static inline bool doorstep_nvs_load(void *context, uint8_t state[DOORSTEP_STATE_SIZE])
{
    nvs_handle_t nvs;
    size_t length = DOORSTEP_STATE_SIZE, root_length = DOORSTEP_STATE_SIZE - 4;
    (void)context;
    if (nvs_open("doorstep", NVS_READONLY, &nvs) != ESP_OK)
        return false;
    esp_err_t found = nvs_get_blob(nvs, "sealed", state, &length);
    bool is_there = found == ESP_OK && length == DOORSTEP_STATE_SIZE;
    if (found == ESP_ERR_NVS_NOT_FOUND) {
        memset(state, 0, 4);
        is_there = nvs_get_blob(nvs, "root_key", state + 4, &root_length) == ESP_OK &&
                   root_length == DOORSTEP_STATE_SIZE - 4;
    }
    nvs_close(nvs);
    return is_there;
}

/* Only when the state is committed is the factory's root erased: epoch 0 can never begin twice. */
static inline bool doorstep_nvs_store(void *context, const uint8_t state[DOORSTEP_STATE_SIZE])
{
    nvs_handle_t nvs;
    (void)context;
    if (nvs_open("doorstep", NVS_READWRITE, &nvs) != ESP_OK)
        return false;
    bool is_stored =
        nvs_set_blob(nvs, "sealed", state, DOORSTEP_STATE_SIZE) == ESP_OK && nvs_commit(nvs) == ESP_OK;
    if (is_stored) {
        esp_err_t erased = nvs_erase_key(nvs, "root_key");
        is_stored = erased == ESP_ERR_NVS_NOT_FOUND || (erased == ESP_OK && nvs_commit(nvs) == ESP_OK);
    }
    nvs_close(nvs);
    return is_stored;
}

#endif
