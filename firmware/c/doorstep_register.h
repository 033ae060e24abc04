/* Registers a device whose only key is its root (docs/spec/registration.md): one sealed request, one reply. No
   allocation, no global state; beside doorstep_sealed it needs nothing but something that carries bytes, such as
   an HTTP client: POST /device/v1/sealed/<device id>, application/octet-stream. */
#ifndef DOORSTEP_REGISTER_H
#define DOORSTEP_REGISTER_H

#include "doorstep_sealed.h"

#ifdef __cplusplus
extern "C" {
#endif

#define DOORSTEP_MAX_REQUEST 147 /* bytes: "v1", a token of 128 characters, and what sealing adds */
#define DOORSTEP_MAX_REPLY 1032  /* bytes, with the tag; doorstep_answered takes so many and 16 of the stack */

typedef enum { DOORSTEP_BOUND, DOORSTEP_HELD, DOORSTEP_DISPUTED, DOORSTEP_REFUSED } doorstep_status;

typedef struct {
    doorstep_status status;
    uint32_t time;     /* seconds since 1970, said after the request was sealed */
    uint32_t epoch;    /* with DOORSTEP_BOUND: the first that the device may use, for doorstep_skip_to */
    uint16_t port;     /* with DOORSTEP_BOUND: of the plain listener */
    char host[64];
    char problem[40];  /* with DOORSTEP_REFUSED: its name in docs/spec/device-api.md */
} doorstep_answer;

/* Seal one attempt; `token` is "" to ask how the device stands. `request` has DOORSTEP_MAX_REQUEST bytes. Each
   attempt is a request of its own: never send one twice. */
doorstep_result doorstep_ask(doorstep_device *device, const char *token, uint8_t *request, size_t *length);

/* Open the reply to `request`; `reply` is overwritten. Anything but DOORSTEP_OK decides nothing: ask again
   later, with longer and longer pauses, and without a new boot. DOORSTEP_WRONG_TAG is somebody else's answer,
   DOORSTEP_BAD_PAYLOAD the platform's, of a kind that this code does not know. */
doorstep_result doorstep_answered(const doorstep_device *device, const uint8_t *request, uint8_t *reply,
                                  size_t length, doorstep_answer *answer);

/* Run the stored root forward to `epoch` if it is earlier, by one write; then call doorstep_boot. */
doorstep_result doorstep_skip_to(const doorstep_port *port, uint32_t epoch);

#ifdef __cplusplus
}
#endif
#endif
