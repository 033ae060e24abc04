/* One boot on a host: prints what a board hands to its MQTT client: the password of CONNECT, then the message.
   cc -std=c99 -I.. seal_on_host.c ../doorstep_sealed.c ../port_soft.c -o seal_on_host
   ./seal_on_host DEVICE_ID STATE_FILE READINGS */
#define _POSIX_C_SOURCE 200112L

#include <stdio.h>
#include <string.h>

#include "host_file.h"

int main(int count, char **argument)
{
    if (count != 4) {
        fprintf(stderr, "usage: %s DEVICE_ID STATE_FILE READINGS\n", argument[0]);
        return 2;
    }
    host_file board = {{{0}}, argument[2]};
    const doorstep_port port = {&board, doorstep_soft_aes_key, doorstep_soft_aes_encrypt, doorstep_soft_sha256, host_file_load, host_file_store};
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
