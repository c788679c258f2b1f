/* socketio.h: Socket.IO 5 on an Engine.IO connection: who the socket is, events both ways, acknowledgements. */
#ifndef SIDECAR_SOCKETIO_H
#define SIDECAR_SOCKETIO_H

#include "lib/json/json.h"
#include "sidecar/engineio.h"

struct seat;
struct user;
struct step;

struct session {  /* one tab */
    char sid[25]; /* what events and the frontend call session_id */
    struct eio *eio;
    bool connected;    /* CONNECT has been answered */
    struct user *user; /* NULL: unknown, hears nothing */
    struct seat *rooms;
    size_t rooms_n;
    int64_t opened_ms;
    struct step *identifying; /* a worker looks at its token */
    struct buf binary;        /* a packet that waits for attachments, and these */
    struct str attachments[10];
    int attachments_n, attachments_want;
    size_t attachments_bytes;
    struct ask *asks;
    int64_t last_ask;
    double allowance; /* events it may still send */
    int64_t allowance_ms;
    int64_t join_ack; /* of a user-join that is being looked at; -1: none wanted */
    bool joining;
    int64_t expires_s;    /* Unix time at which its token ends; 0: never */
    bool goodbye;         /* it has gone because it wanted to */
    int joins;            /* tokens it has shown */
    bool complained;      /* an event of it that was not carried out has been logged */
    struct member *notes; /* that it has open (ydoc.h) */
};

/* From engineio.c */
struct session *socketio_opened(struct eio *e);
void socketio_text(struct session *s, struct str text);
void socketio_binary(struct session *s, struct str bytes);
void socketio_closed(struct session *s); /* frees it */

/* A packet of an event, to be sent to any number of sessions. data: JSON text. */
struct packet *event_packet(struct str event, struct str data);
void socketio_send(struct session *s, struct packet *p);
/* Lines of a stream will come as events, more than a tab may send else. */
void socketio_allow_stream(struct session *s);
void socketio_ack(struct session *s, int64_t id, struct str json_list);
void socketio_disconnect(struct session *s); /* and closes the connection */

/* The event is not carried out: logged, at most once a session. */
void socketio_complain(struct session *s, const char *what, struct str event);

/* Sends an event and waits for its answer: JSON list of the arguments, or absent when none came in time or the tab left. */
typedef void ask_fn(void *arg, struct str answer);
void socketio_ask(struct session *s, struct str event, struct str data, int64_t timeout_ms, ask_fn *fn, void *arg);
void socketio_ask_cancel(void *arg); /* all questions of arg */

/* Asks a worker whose token it is; the answer makes the session a user's. join: user-join's answer is to be acknowledged (ack ≥ 0). */
void socketio_identify(struct session *s, struct str token, bool join, int64_t ack);

void socketio_tick(int64_t mono_now_ms);

#endif
