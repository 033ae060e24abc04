/* One boot on a host: prints what a board hands to its MQTT client: the password of CONNECT, then the message.
   cc -std=c99 -I.. seal_on_host.c ../doorstep_sealed.c ../port_soft.c -o seal_on_host
   ./seal_on_host DEVICE_ID STATE_FILE READINGS */
#define _POSIX_C_SOURCE 200112L

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "doorstep_sealed.h"
#include "port_soft.h"

typedef struct {
    doorstep_soft soft; /* first, as port_soft.h wants it */
    const char *path;
} host;

static bool load(void *context, uint8_t state[DOORSTEP_STATE_SIZE])
{
    FILE *file = fopen(((host *)context)->path, "rb");
    bool done = file && fread(state, 1, DOORSTEP_STATE_SIZE, file) == DOORSTEP_STATE_SIZE;
    if (file)
        fclose(file);
    return done;
}

/* Whole and durable or not at all: a new file, forced to the disk, takes the old one's name. */
static bool store(void *context, const uint8_t state[DOORSTEP_STATE_SIZE])
{
    const char *path = ((host *)context)->path;
    char fresh[1024];
    if ((size_t)snprintf(fresh, sizeof fresh, "%s.new", path) >= sizeof fresh)
        return false;
    FILE *file = fopen(fresh, "wb");
    if (!file)
        return false;
    bool done = fwrite(state, 1, DOORSTEP_STATE_SIZE, file) == DOORSTEP_STATE_SIZE && fflush(file) == 0 &&
                fsync(fileno(file)) == 0;
    done = fclose(file) == 0 && done;
    return done && rename(fresh, path) == 0;
}

int main(int count, char **argument)
{
    if (count != 4) {
        fprintf(stderr, "usage: %s DEVICE_ID STATE_FILE READINGS\n", argument[0]);
        return 2;
    }
    host board = {{{0}}, argument[2]};
    const doorstep_port port = {&board, doorstep_soft_aes_key, doorstep_soft_aes_encrypt, doorstep_soft_sha256, load, store};
    doorstep_device device;
    doorstep_result result = doorstep_boot(&device, &port, argument[1]);
    char password[DOORSTEP_PROOF_SIZE];
    uint8_t message[512 + DOORSTEP_MAX_OVERHEAD];
    size_t length = strlen(argument[3]), sealed = 0;
    if (result == DOORSTEP_OK)
        result = doorstep_proof(&device, password);
    if (result == DOORSTEP_OK)
        result = doorstep_seal(&device, "up/data", (const uint8_t *)argument[3], length, message, sizeof message, &sealed);
    if (result != DOORSTEP_OK) {
        fprintf(stderr, "nothing sealed: result %d of doorstep_sealed.h\n", (int)result);
        return 1;
    }
    printf("%s\n", password);
    for (size_t i = 0; i < sealed; i++)
        printf("%02x", message[i]);
    printf("\n");
    return 0;
}
