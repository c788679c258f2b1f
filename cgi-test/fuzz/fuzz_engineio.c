/* fuzz_engineio.c: a polling payload, each message of it as a Socket.IO packet, with attachments. */
#include <stdint.h>
#include <stdlib.h>

#include "lib/net/socketio.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *mem = arena_new(4096);
    struct str payload = str_n((const char *)data, size), attachments[2] = { S("\x01\x02"), payload };
    struct eio_packet p;
    bool broken;

    while (eio_next(&payload, &p, &broken)) {
        struct sio_packet s = { 0 };
        struct error err;

        if (p.type != EIO_MESSAGE || sio_parse(mem, p.data, &s, &err) != OK)
            continue;
        if (s.attachments < 0 || s.attachments > SIO_MAX_ATTACHMENTS || s.id < -1 || !s.namespace.p ||
            s.namespace.p[0] != '/')
            abort();
        if ((s.type == SIO_EVENT || s.type == SIO_BINARY_EVENT) && !json_str_value(json_at(s.data, 0)).p)
            abort();
        if (sio_attach(mem, &s.data, attachments, 2, &err) == OK)
            json_text(mem, s.data);
    }
    arena_free(mem);
    return 0;
}
