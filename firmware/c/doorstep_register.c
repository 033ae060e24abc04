#include "doorstep_register.h"

#include <string.h>

#define CHANNEL "register"
#define MAX_TOKEN 128
#define MAX_HEADER 8 /* length, flags, sequence number 2, its epoch 1 + 4 at most: 9 with the first */
#define TAG 8
#define MAX_SKIP (1u << 20)
#define DEPTH 8 /* brackets within brackets in a reply */

doorstep_result doorstep_ask(doorstep_device *device, const char *token, uint8_t *request, size_t *length)
{
    uint8_t plain[2 + MAX_TOKEN];
    size_t size = strlen(token);
    if (size > MAX_TOKEN)
        return DOORSTEP_MISUSE;
    plain[0] = 'v';
    plain[1] = '1';
    for (size_t i = 0; i < size; i++) {
        if (token[i] <= ' ' || token[i] > '~')
            return DOORSTEP_MISUSE;
        plain[2 + i] = (uint8_t)token[i];
    }
    return doorstep_seal(device, CHANNEL, plain, 2 + size, request, DOORSTEP_MAX_REQUEST, length);
}

/* --- the reply's JSON text, which the platform wrote and whose tag held; still nothing is read beyond it --- */

typedef struct {
    const char *at;
    const char *end;
} text;

static char peek(text *from)
{
    while (from->at < from->end && (*from->at == ' ' || *from->at == '\n' || *from->at == '\t' || *from->at == '\r'))
        from->at++;
    return from->at < from->end ? *from->at : 0;
}

static bool take(text *from, char wanted)
{
    bool is_there = peek(from) == wanted;
    from->at += is_there;
    return is_there;
}

/* Copy a string of printable ASCII without escapes, or skip any string when `size` is 0. */
static bool take_string(text *from, char *out, size_t size)
{
    if (!take(from, '"'))
        return false;
    size_t length = 0;
    for (; from->at < from->end; from->at++) {
        char one = *from->at;
        if (one == '"') {
            from->at++;
            if (size)
                out[length] = 0;
            return true;
        }
        if (size && (one < ' ' || one > '~' || one == '\\' || length + 1 >= size))
            return false;
        if (size)
            out[length++] = one;
        else if (one == '\\')
            from->at++;
    }
    return false;
}

static bool take_number(text *from, uint32_t *number)
{
    char one = peek(from);
    *number = 0;
    if (one < '0' || one > '9')
        return false;
    for (; from->at < from->end && *from->at >= '0' && *from->at <= '9'; from->at++) {
        uint32_t digit = (uint32_t)(*from->at - '0');
        if (*number > (UINT32_MAX - digit) / 10)
            return false;
        *number = *number * 10 + digit;
    }
    return true;
}

static bool skip_value(text *from)
{
    int depth = 0;
    do {
        char one = peek(from);
        if (one == 0 || depth > DEPTH)
            return false;
        if (one == '"') {
            if (!take_string(from, NULL, 0))
                return false;
            continue;
        }
        if (one == '{' || one == '[')
            depth++;
        if (one == '}' || one == ']')
            depth--;
        from->at++;
        /* A number or a word goes on to the next mark. */
        while (depth == 0 && one != '}' && one != ']' && from->at < from->end && !strchr(",}] \n\r\t", *from->at))
            from->at++;
    } while (depth > 0);
    return depth == 0;
}

/* Where the value of a member is; false when it is not there, and then `of` is as it was. */
static bool find(text of, const char *name, text *value)
{
    char known[12];
    bool more = take(&of, '{');
    while (more) {
        text key = of;
        bool is_short = take_string(&key, known, sizeof known);
        if (!take_string(&of, NULL, 0) || !take(&of, ':'))
            return false;
        if (is_short && strcmp(known, name) == 0) {
            *value = of;
            return true;
        }
        more = skip_value(&of) && take(&of, ',');
    }
    return false;
}

static bool read_place(text mqtt, doorstep_answer *answer)
{
    text value;
    uint32_t port;
    if (!find(mqtt, "host", &value) || !take_string(&value, answer->host, sizeof answer->host))
        return false;
    if (!find(mqtt, "port", &value) || !take_number(&value, &port) || port == 0 || port > UINT16_MAX)
        return false;
    answer->port = (uint16_t)port;
    return true;
}

static bool read_answer(text reply, doorstep_answer *answer)
{
    static const char *const names[] = {"bound", "held", "disputed", "refused"};
    char status[12];
    text value, mqtt;
    memset(answer, 0, sizeof *answer);
    if (!find(reply, "status", &value) || !take_string(&value, status, sizeof status))
        return false;
    unsigned which = 0;
    while (which < 4 && strcmp(status, names[which]) != 0)
        which++;
    if (which == 4 || !find(reply, "time", &value) || !take_number(&value, &answer->time))
        return false;
    answer->status = (doorstep_status)which;
    if (answer->status == DOORSTEP_REFUSED && find(reply, "problem", &value))
        take_string(&value, answer->problem, sizeof answer->problem);
    bool has_epoch = find(reply, "epoch", &value) && take_number(&value, &answer->epoch);
    bool has_place = find(reply, "mqtt", &mqtt) && read_place(mqtt, answer);
    return has_epoch == has_place && has_epoch == (answer->status == DOORSTEP_BOUND);
}

doorstep_result doorstep_answered(const doorstep_device *device, const uint8_t *request, uint8_t *reply,
                                  size_t length, doorstep_answer *answer)
{
    uint8_t message[1 + MAX_HEADER + DOORSTEP_MAX_REPLY];
    size_t header = 1u + request[0], opened = 0;
    if (length > DOORSTEP_MAX_REPLY)
        return DOORSTEP_OVERSIZE;
    if (length < TAG)
        return DOORSTEP_WRONG_TAG;
    if (header > 1 + MAX_HEADER)
        return DOORSTEP_MISUSE;
    /* The platform's key under the request's nonce: as a message from the platform whose Base IV is the
       device's. Its header is the request's. */
    doorstep_device platform = *device;
    platform.common_iv[0] ^= sizeof platform.kid;
    for (size_t i = 0; i < sizeof platform.kid; i++)
        platform.common_iv[3 + i] ^= platform.kid[i];
    platform.high = -1;
    platform.window = 0;
    memcpy(message, request, header);
    memcpy(message + header, reply, length);
    doorstep_result result = doorstep_open(&platform, CHANNEL, message, header + length, reply, length, &opened);
    if (result != DOORSTEP_OK)
        return result;
    const text said = {(const char *)reply, (const char *)reply + opened};
    return read_answer(said, answer) ? DOORSTEP_OK : DOORSTEP_BAD_PAYLOAD;
}

/* --- to a later epoch: the core's own boots, on a state in memory --- */

typedef struct {
    const doorstep_port *board;
    uint8_t state[DOORSTEP_STATE_SIZE];
} memory;

static void hash(void *context, const uint8_t *data, size_t length, uint8_t digest[32])
{
    const doorstep_port *board = ((memory *)context)->board;
    board->sha256(board->context, data, length, digest);
}

static bool load(void *context, uint8_t state[DOORSTEP_STATE_SIZE])
{
    memcpy(state, ((memory *)context)->state, DOORSTEP_STATE_SIZE);
    return true;
}

static bool store(void *context, const uint8_t state[DOORSTEP_STATE_SIZE])
{
    memcpy(((memory *)context)->state, state, DOORSTEP_STATE_SIZE);
    return true;
}

doorstep_result doorstep_skip_to(const doorstep_port *port, uint32_t epoch)
{
    memory held = {port, {0}};
    const doorstep_port steps = {&held, NULL, NULL, hash, load, store};
    doorstep_device one;
    uint32_t stored = 0;
    if (!port->load(port->context, held.state))
        return DOORSTEP_STORAGE;
    for (int i = 0; i < 4; i++)
        stored = stored << 8 | held.state[i];
    if (stored >= epoch)
        return DOORSTEP_OK;
    if (epoch - stored > MAX_SKIP || epoch >> 31)
        return DOORSTEP_MISUSE;
    while (stored++ < epoch)
        doorstep_boot(&one, &steps, "aaaaaaaa");
    bool done = port->store(port->context, held.state);
    memset(&held, 0, sizeof held);
    return done ? DOORSTEP_OK : DOORSTEP_STORAGE;
}
