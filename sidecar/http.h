/* http.h: the HTTP/1.1 server on RUN/sidecar.sock and RUN/control.sock. Written here and not left to libwebsockets, which decodes the
 * request target and cannot list the header lines: a worker must get both as they were sent. WebSockets are handed to it (ws.h). */
#ifndef SIDECAR_HTTP_H
#define SIDECAR_HTTP_H

#include "lib/net/http_head.h"
#include "sidecar/stream.h"

#define HTTP_MAX_BODY (64u * 1024 * 1024)

struct http_conn;

/* One request. It lives until http_end(), http_abort() or the return of on_gone, whichever is first. */
struct http_request {
    struct http_conn *conn;
    char *text; /* of the head */
    struct http_head head;
    struct buf body; /* whole */
    bool is_control;
    bool idle;                                  /* it waits for something to happen: nobody is working on it */
    int status;                                 /* of the answer that has begun; 0: none yet */
    void *owner;                                /* of whoever answers it */
    void (*on_gone)(struct http_request *r);    /* the client has left */
    void (*on_drained)(struct http_request *r); /* all that was written has gone out */
};

/* A whole answer; ends the request. headers: NULL or "Name: value\r\n" lines. */
void http_reply(struct http_request *r, int status, const char *content_type, struct str headers, struct str body);
void http_reply_json(struct http_request *r, int status, struct str json);
void http_reply_detail(struct http_request *r, int status, const char *detail); /* {"detail": …} */

/* An answer in pieces. length -1: not known. */
void http_begin(struct http_request *r, int status, struct str content_type, struct str headers, int64_t length);
void http_write(struct http_request *r, struct str piece);
size_t http_waiting(const struct http_request *r); /* bytes the client has not taken yet */
void http_end(struct http_request *r);
void http_abort(struct http_request *r); /* the answer cannot be completed: the connection is cut */

/* Takes the connection away for another protocol. Ends the request. */
int http_take_socket(struct http_request *r);
bool http_has_more(const struct http_request *r); /* something has come behind the request */

bool http_has_type(struct str headers); /* "Name: value" lines with a Content-Type among them */
/* CR, LF, NUL or a bad name: not added. */
void http_add_header(struct buf *headers, struct str name, struct str value);
const char *http_reason(int status);

bool http_start(void);                  /* listens on both sockets */
void http_stop_listening(bool control); /* on which of them */
void http_tick(int64_t mono_now_ms);    /* each second: timeouts */
void http_close_all(void);
unsigned http_busy(void); /* requests being answered, control apart */

#endif
