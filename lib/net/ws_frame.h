/* ws_frame.h: the frames of a WebSocket (RFC 6455, section 5), as a client reads and writes them. Pure: bytes in, messages out. */
#ifndef LIB_NET_WS_FRAME_H
#define LIB_NET_WS_FRAME_H

#include "lib/base/error.h"

enum ws_opcode { WS_CONTINUATION = 0, WS_TEXT = 1, WS_BINARY = 2, WS_CLOSE = 8, WS_PING = 9, WS_PONG = 10 };

struct ws_reader {
    struct buf in, message; /* bytes that are no frame yet; a message whose last frame is missing */
    size_t used;            /* of in, by the frame that was given out last */
    int opcode;             /* of the message in pieces; -1: none is */
    bool given;             /* the message was given out: it ends with the next call */
};

void ws_reader_init(struct ws_reader *r, size_t max_bytes); /* of a message */
void ws_reader_free(struct ws_reader *r);
void ws_reader_add(struct ws_reader *r, struct str bytes);

/* The next whole message, or control frame; *data is valid until the next call. NOT_FOUND: more bytes are needed. INVALID: it is no WebSocket; TOO_BIG. After those
 * two the reader is of no use any more. */
enum status ws_reader_next(struct ws_reader *r, enum ws_opcode *opcode, struct str *data, struct error *err);

/* Adds a final frame, masked as a client's must be. */
void ws_frame_add(struct buf *out, enum ws_opcode opcode, struct str data, const unsigned char mask[4]);

#endif
