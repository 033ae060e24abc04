/* The state of a host's examples in a file, and the soft port beside it. */
#ifndef DOORSTEP_HOST_FILE_H
#define DOORSTEP_HOST_FILE_H

#include <stdio.h>
#include <unistd.h>

#include "doorstep_sealed.h"
#include "port_soft.h"

typedef struct {
    doorstep_soft soft; /* first, as port_soft.h wants it */
    const char *path;
} host_file;

static bool host_file_load(void *context, uint8_t state[DOORSTEP_STATE_SIZE])
{
    FILE *file = fopen(((host_file *)context)->path, "rb");
    bool done = file && fread(state, 1, DOORSTEP_STATE_SIZE, file) == DOORSTEP_STATE_SIZE;
    if (file)
        fclose(file);
    return done;
}

/* Whole and durable or not at all: a new file, forced to the disk, takes the old one's name. */
static bool host_file_store(void *context, const uint8_t state[DOORSTEP_STATE_SIZE])
{
    const char *path = ((host_file *)context)->path;
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

#endif
