/* socketio.h: packets of Engine.IO 4 and Socket.IO 5, as they stand in a WebSocket message or a polling payload. */
#ifndef LIB_NET_SOCKETIO_H
#define LIB_NET_SOCKETIO_H

#include "lib/json/json.h"

enum { SIO_MAX_ATTACHMENTS = 10, EIO_MAX_PAYLOAD = 1000000, EIO_MAX_PACKETS = 64 };

/* Engine.IO */
enum eio_type {
    EIO_OPEN = '0',
    EIO_CLOSE = '1',
    EIO_PING = '2',
    EIO_PONG = '3',
    EIO_MESSAGE = '4',
    EIO_UPGRADE = '5',
    EIO_NOOP = '6',
    EIO_BINARY = 'b'
};

struct eio_packet {
    enum eio_type type;
    struct str data; /* text; of EIO_BINARY: still base64 */
};

/* The next packet of a polling payload (packets are separated by 0x1e). false: none left. INVALID packets end it with *broken. */
bool eio_next(struct str *payload, struct eio_packet *out, bool *broken);
bool eio_parse(struct str text, struct eio_packet *out); /* of one WebSocket text message */

/* Socket.IO, inside EIO_MESSAGE */
enum sio_type {
    SIO_CONNECT = 0,
    SIO_DISCONNECT,
    SIO_EVENT,
    SIO_ACK,
    SIO_CONNECT_ERROR,
    SIO_BINARY_EVENT,
    SIO_BINARY_ACK
};

struct sio_packet {
    enum sio_type type;
    int attachments;      /* how many binary messages follow */
    struct str namespace; /* "/" if none is named; without a query */
    int64_t id;           /* of an event that wants an answer, of an answer; -1: none */
    json_object *data;    /* NULL: none. In mem */
};

/* INVALID: no packet that a client may send. */
enum status sio_parse(struct arena *mem, struct str text, struct sio_packet *out, struct error *err);

/* Puts the attachments where their placeholders stand, as {"_binary": base64}. INVALID: a placeholder without an attachment. */
enum status sio_attach(struct arena *mem, json_object **data, const struct str *attachments, int n, struct error *err);

#endif
