/* Answers one line for each line of standard input: a board under test; see boards.py. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "doorstep_register.h"
#include "doorstep_sealed.h"
#ifdef DOORSTEP_WITH_MBEDTLS /* cc -DDOORSTEP_WITH_MBEDTLS driver.c … -lmbedcrypto: by hand, not in the tests */
#include "port_mbedtls.h"
#define PORT(name) doorstep_mbedtls_##name
#else
#include "port_soft.h"
#define PORT(name) doorstep_soft_##name
#endif

typedef struct {
#ifdef DOORSTEP_WITH_MBEDTLS
    doorstep_mbedtls cipher;
#else
    doorstep_soft cipher;
#endif
    uint8_t state[DOORSTEP_STATE_SIZE];
    bool is_broken;
} flash;

static const char *const reasons[] = {"ok",       "malformed",  "oversize",      "unknown_kid", "wrong_tag",
                                      "replayed", "too_old",    "epoch_past",    "epoch_too_far",
                                      "misuse",   "storage",    "epoch_used_up", "last_epoch",
                                      "bad_payload"};

static bool load(void *context, uint8_t state[DOORSTEP_STATE_SIZE])
{
    memcpy(state, ((flash *)context)->state, DOORSTEP_STATE_SIZE);
    return true;
}

static bool store(void *context, const uint8_t state[DOORSTEP_STATE_SIZE])
{
    if (((flash *)context)->is_broken)
        return false;
    memcpy(((flash *)context)->state, state, DOORSTEP_STATE_SIZE);
    return true;
}

static size_t unhex(const char *text, uint8_t *out)
{
    size_t length = strlen(text) / 2;
    for (size_t i = 0; i < length; i++) {
        char pair[3] = {text[2 * i], text[2 * i + 1], 0};
        out[i] = (uint8_t)strtoul(pair, NULL, 16);
    }
    return length;
}

static void show(const char *before, const uint8_t *data, size_t length)
{
    fputs(before, stdout);
    for (size_t i = 0; i < length; i++)
        printf("%02x", data[i]);
}

static void show_bytes(doorstep_result result, const uint8_t *data, size_t length)
{
    fputs(reasons[result], stdout);
    if (result == DOORSTEP_OK)
        show(" ", data, length);
}

/* Buffers as small as they may be, on the heap: the sanitizer sees each byte beyond. */
static void seal(doorstep_device *device, const char *channel, const char *hex)
{
    size_t length = strlen(hex) / 2, sealed = 0;
    uint8_t *plain = malloc(length + 1), *message = malloc(length + DOORSTEP_MAX_OVERHEAD);
    unhex(hex, plain);
    size_t room = length + DOORSTEP_MAX_OVERHEAD;
    doorstep_result result = doorstep_seal(device, channel, plain, length, message, room, &sealed);
    show_bytes(result, message, sealed);
    free(plain);
    free(message);
}

static void open_message(doorstep_device *device, const char *channel, const char *hex)
{
    size_t length = strlen(hex) / 2, opened = 0;
    uint8_t *message = malloc(length ? length : 1), *plain = malloc(length ? length : 1);
    unhex(hex, message);
    doorstep_result result = doorstep_open(device, channel, message, length, plain, length, &opened);
    show_bytes(result, plain, opened);
    free(plain);
    free(message);
}

static void ask(doorstep_device *device, const char *token)
{
    uint8_t *request = malloc(DOORSTEP_MAX_REQUEST);
    size_t length = 0;
    doorstep_result result = doorstep_ask(device, token ? token : "", request, &length);
    show_bytes(result, request, length);
    free(request);
}

static void reply(doorstep_device *device, const char *sequence, const char *hex)
{
    static const char *const names[] = {"bound", "held", "disputed", "refused"};
    size_t length = hex ? strlen(hex) / 2 : 0, asked = 0;
    uint8_t request[DOORSTEP_MAX_REQUEST], *sealed = malloc(length ? length : 1);
    if (hex)
        unhex(hex, sealed);
    doorstep_answer said;
    device->next_sequence = (uint32_t)strtoul(sequence, NULL, 10);
    doorstep_ask(device, "", request, &asked);
    doorstep_result result = doorstep_answered(device, request, sealed, length, &said);
    if (result != DOORSTEP_OK)
        fputs(reasons[result], stdout);
    else if (said.status == DOORSTEP_BOUND)
        printf("ok bound %lu %s:%u", (unsigned long)said.epoch, said.host, said.port);
    else
        printf("ok %s", names[said.status]);
    free(sealed);
}

static void answer(doorstep_device *device, doorstep_port *port, char *const *word)
{
    flash *memory = port->context;
    if (strcmp(word[0], "flash") == 0) {
        unhex(word[1], memory->state);
        fputs("ok", stdout);
    } else if (strcmp(word[0], "break") == 0) {
        memory->is_broken = true;
        fputs("ok", stdout);
    } else if (strcmp(word[0], "boot") == 0) {
        fputs(reasons[doorstep_boot(device, port, word[1])], stdout);
    } else if (strcmp(word[0], "state") == 0) {
        show("ok ", memory->state, DOORSTEP_STATE_SIZE);
    } else if (strcmp(word[0], "keys") == 0) {
        show("ok ", device->keys[true], 16);
        show(" ", device->keys[false], 16);
        show(" ", device->common_iv, 13);
    } else if (strcmp(word[0], "sequence") == 0) {
        device->next_sequence = (uint32_t)strtoul(word[1], NULL, 10);
        fputs("ok", stdout);
    } else if (strcmp(word[0], "seal") == 0) {
        seal(device, word[1], word[2]);
    } else if (strcmp(word[0], "open") == 0) {
        open_message(device, word[1], word[2]);
    } else if (strcmp(word[0], "proof") == 0) {
        char proof[DOORSTEP_PROOF_SIZE];
        doorstep_result result = doorstep_proof(device, proof);
        printf("%s%s%s", reasons[result], result ? "" : " ", result ? "" : proof);
    } else if (strcmp(word[0], "owner") == 0) {
        uint8_t nonce[16];
        unhex(word[1], nonce);
        fputs(reasons[doorstep_change_owner(port, nonce)], stdout);
    } else if (strcmp(word[0], "ask") == 0) {
        ask(device, word[1]);
    } else if (strcmp(word[0], "reply") == 0) {
        reply(device, word[1], word[2]);
    } else if (strcmp(word[0], "skip") == 0) {
        fputs(reasons[doorstep_skip_to(port, (uint32_t)strtoul(word[1], NULL, 10))], stdout);
    } else if (strcmp(word[0], "aes") == 0) {
        uint8_t key[16], block[16];
        unhex(word[1], key);
        unhex(word[2], block);
        port->aes_key(port->context, key);
        port->aes_encrypt(port->context, block, block);
        show("ok ", block, 16);
    } else if (strcmp(word[0], "sha256") == 0) {
        size_t length = strlen(word[1]) / 2;
        uint8_t *data = malloc(length ? length : 1), digest[32];
        unhex(word[1], data);
        port->sha256(port->context, data, length, digest);
        show("ok ", digest, 32);
        free(data);
    } else {
        fputs("unknown", stdout);
    }
}

int main(void)
{
    static char line[20000];
    flash memory = {0};
    doorstep_device device = {0};
    doorstep_port port = {&memory, PORT(aes_key), PORT(aes_encrypt), PORT(sha256), load, store};
    while (fgets(line, sizeof line, stdin)) {
        char *word[3] = {"", "", ""};
        char *at = line;
        line[strcspn(line, "\n")] = 0;
        for (int i = 0; i < 3; i++) {
            word[i] = at;
            at += strcspn(at, " ");
            if (*at)
                *at++ = 0;
        }
        answer(&device, &port, word);
        putchar('\n');
    }
    return 0;
}
