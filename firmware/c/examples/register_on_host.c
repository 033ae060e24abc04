/* Registers on a host, then prints what a board hands to its MQTT client, as seal_on_host.c does.
   cc -std=c99 -I.. register_on_host.c ../doorstep_sealed.c ../doorstep_register.c ../port_soft.c -o register_on_host
   ./register_on_host DEVICE_ID STATE_FILE HOST PORT TOKEN READINGS */
#define _POSIX_C_SOURCE 200112L

#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <unistd.h>

#include "doorstep_register.h"
#include "host_file.h"

/* Carry one request over HTTP. Returns the bytes of the reply, or 0 when none came: that decides nothing. */
static size_t carry(char *const *argument, const uint8_t *request, size_t length, uint8_t *reply)
{
    char answer[2048], head[256];
    size_t got = 0;
    struct addrinfo *place, hints = {0};
    hints.ai_socktype = SOCK_STREAM;
    if (getaddrinfo(argument[3], argument[4], &hints, &place))
        return 0;
    int wire = socket(place->ai_family, place->ai_socktype, 0);
    bool is_sent = wire >= 0 && connect(wire, place->ai_addr, place->ai_addrlen) == 0;
    freeaddrinfo(place);
    int size = snprintf(head, sizeof head,
                        "POST /device/v1/sealed/%s HTTP/1.0\r\nHost: %s\r\n"
                        "Content-Type: application/octet-stream\r\nContent-Length: %zu\r\n\r\n",
                        argument[1], argument[3], length);
    is_sent = is_sent && write(wire, head, (size_t)size) == size && write(wire, request, length) == (ssize_t)length;
    for (ssize_t more = 1; is_sent && more > 0 && got < sizeof answer - 1; got += more > 0 ? (size_t)more : 0)
        more = read(wire, answer + got, sizeof answer - 1 - got);
    if (wire >= 0)
        close(wire);
    answer[got] = 0;
    const char *body = strstr(answer, "\r\n\r\n");
    if (!body || strncmp(answer + 8, " 200", 4) != 0)
        return 0;
    size_t left = got - (size_t)(body + 4 - answer);
    memcpy(reply, body + 4, left < DOORSTEP_MAX_REPLY ? left : DOORSTEP_MAX_REPLY);
    return left;
}

int main(int count, char **argument)
{
    if (count != 7) {
        fprintf(stderr, "usage: %s DEVICE_ID STATE_FILE HOST PORT TOKEN READINGS\n", argument[0]);
        return 2;
    }
    host_file board = {{{0}}, argument[2]};
    const doorstep_port port = {&board,          doorstep_soft_aes_key, doorstep_soft_aes_encrypt, doorstep_soft_sha256,
                                host_file_load, host_file_store};
    doorstep_device device;
    doorstep_answer said;
    uint8_t request[DOORSTEP_MAX_REQUEST], reply[DOORSTEP_MAX_REPLY], message[512 + DOORSTEP_MAX_OVERHEAD];
    char password[DOORSTEP_PROOF_SIZE];
    size_t length = 0;
    doorstep_result result = doorstep_boot(&device, &port, argument[1]);
    if (result == DOORSTEP_OK)
        result = doorstep_ask(&device, argument[5], request, &length);
    if (result == DOORSTEP_OK)
        result = doorstep_answered(&device, request, reply, carry(argument, request, length, reply), &said);
    if (result != DOORSTEP_OK || said.status != DOORSTEP_BOUND) {
        fprintf(stderr, "not bound: result %d, status %d\n", (int)result, result ? -1 : (int)said.status);
        return 1;
    }
    if (device.epoch < said.epoch) {
        result = doorstep_skip_to(&port, said.epoch);
        if (result == DOORSTEP_OK)
            result = doorstep_boot(&device, &port, argument[1]);
    }
    if (result == DOORSTEP_OK)
        result = doorstep_proof(&device, password);
    if (result == DOORSTEP_OK)
        result = doorstep_seal(&device, "up/data", (const uint8_t *)argument[6], strlen(argument[6]), message,
                               sizeof message, &length);
    if (result != DOORSTEP_OK) {
        fprintf(stderr, "nothing sealed: result %d of doorstep_sealed.h\n", (int)result);
        return 1;
    }
    printf("%s %u %s\n", said.host, said.port, password);
    for (size_t i = 0; i < length; i++)
        printf("%02x", message[i]);
    printf("\n");
    return 0;
}
