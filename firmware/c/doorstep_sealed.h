/* Sealed messages, version 1 (docs/spec/sealed.md), the device's end. C99, no allocation, no global state. */
#ifndef DOORSTEP_SEALED_H
#define DOORSTEP_SEALED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define DOORSTEP_STATE_SIZE 36    /* bytes in flash: next epoch (4, big-endian), root of it (32) */
#define DOORSTEP_MAX_PLAINTEXT 4096
#define DOORSTEP_MAX_MESSAGE 4160
#define DOORSTEP_MAX_OVERHEAD 17  /* bytes that sealing adds at most, without kid */
#define DOORSTEP_PROOF_SIZE 27    /* characters of a CONNECT proof at most, with the closing NUL */

typedef enum {
    DOORSTEP_OK = 0,
    /* The peer's fault: section 7 of the specification. Nothing changed. */
    DOORSTEP_MALFORMED,
    DOORSTEP_OVERSIZE,
    DOORSTEP_UNKNOWN_KID,
    DOORSTEP_WRONG_TAG,
    DOORSTEP_REPLAYED,
    DOORSTEP_TOO_OLD,
    DOORSTEP_EPOCH_PAST,
    DOORSTEP_EPOCH_TOO_FAR,
    /* The device's own. */
    DOORSTEP_MISUSE,           /* device id, channel, plaintext or buffer of a wrong size */
    DOORSTEP_STORAGE,          /* the state could not be loaded or stored: send nothing */
    DOORSTEP_EPOCH_USED_UP,    /* every sequence number is used: call doorstep_boot again */
    DOORSTEP_LAST_EPOCH,       /* every epoch is used: the device needs a new root from the factory */
    /* The peer's again: genuine, but its content is not known; doorstep_register.h alone. */
    DOORSTEP_BAD_PAYLOAD
} doorstep_result;

/* What the core needs of the board. None of these may fail half: store is whole and durable, or false. */
typedef struct {
    void *context;  /* handed to each function */
    void (*aes_key)(void *context, const uint8_t key[16]);
    void (*aes_encrypt)(void *context, const uint8_t in[16], uint8_t out[16]);  /* in and out may be one */
    void (*sha256)(void *context, const uint8_t *data, size_t length, uint8_t digest[32]);
    bool (*load)(void *context, uint8_t state[DOORSTEP_STATE_SIZE]);
    bool (*store)(void *context, const uint8_t state[DOORSTEP_STATE_SIZE]);
} doorstep_port;

/* One boot of one device. The fields are the library's. */
typedef struct {
    const doorstep_port *port;
    uint8_t kid[5];
    /* The keys down and up, and the Common IV: the first 16, 16 and 13 bytes; HKDF makes blocks of 32. */
    uint8_t keys[2][32];
    uint8_t common_iv[32];
    uint32_t epoch;
    uint32_t next_sequence;
    int32_t high;     /* highest sequence number opened, -1 before the first */
    uint64_t window;  /* bit i: high - i was opened */
} doorstep_device;

/* Begin an epoch: load the state, store that of the next boot, derive this one's keys. Call it at power-on,
   and when doorstep_seal answers DOORSTEP_EPOCH_USED_UP. `device_id` has 8 characters. `port` must live on. */
doorstep_result doorstep_boot(doorstep_device *device, const doorstep_port *port, const char *device_id);

/* Seal `plaintext` for topic d/<device id>/<channel>, such as "up/data". `message` has room for `capacity`
   bytes, at least length + DOORSTEP_MAX_OVERHEAD; the buffers do not overlap. */
doorstep_result doorstep_seal(doorstep_device *device, const char *channel, const uint8_t *plaintext,
                              size_t length, uint8_t *message, size_t capacity, size_t *message_length);

/* Open a message that came on topic d/<device id>/<channel>, such as "down/cmd". `plaintext` has room for
   `capacity` bytes (length is always enough); it is wiped when the tag does not hold. */
doorstep_result doorstep_open(doorstep_device *device, const char *channel, const uint8_t *message,
                              size_t length, uint8_t *plaintext, size_t capacity, size_t *plaintext_length);

/* Make the password of one CONNECT on the plain listener; username and client id are the device id. */
doorstep_result doorstep_proof(doorstep_device *device, char proof[DOORSTEP_PROOF_SIZE]);

/* Mix an owner change into the stored root (S-9); it counts from the next boot on. */
doorstep_result doorstep_change_owner(const doorstep_port *port, const uint8_t nonce[16]);

#ifdef __cplusplus
}
#endif
#endif
