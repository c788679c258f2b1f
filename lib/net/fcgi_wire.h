/* fcgi_wire.h: FastCGI records as the side of the web server writes and reads them, and the CGI response inside. Pure: no sockets. */
#ifndef LIB_NET_FCGI_WIRE_H
#define LIB_NET_FCGI_WIRE_H

#include "lib/base/error.h"

enum { FCGI_WIRE_HEADER = 8, FCGI_WIRE_MAX = 65535 };

/* Writing: request id 1, role responder. */
void fcgi_wire_begin(struct buf *out, bool keep);
void fcgi_wire_param(struct buf *params, struct str name,
                     struct str value);                    /* one name-value pair, to be sent with fcgi_wire_params */
void fcgi_wire_params(struct buf *out, struct str params); /* in as many records as it takes, and the empty one */
void fcgi_wire_stdin_head(unsigned char head[FCGI_WIRE_HEADER],
                          size_t n); /* n ≤ FCGI_WIRE_MAX; 0: the end of the body */

/* Reading a worker's answer, in pieces of any size. */
enum fcgi_wire_state { FCGI_WIRE_HEAD, FCGI_WIRE_BODY, FCGI_WIRE_PADDING, FCGI_WIRE_DONE, FCGI_WIRE_BROKEN };

struct fcgi_wire {
    enum fcgi_wire_state state;
    unsigned char head[FCGI_WIRE_HEADER];
    unsigned head_n, left, padding;
    unsigned char end[8]; /* the body of FCGI_END_REQUEST */
    unsigned end_n;
};

/* Takes from *in up to the next piece of the stream: *out is a piece of stdout (is_error false) or stderr. false: nothing more in *in; look at w->state. */
bool fcgi_wire_next(struct fcgi_wire *w, struct str *in, struct str *out, bool *is_error);

/* The header block of a CGI response (RFC 3875, section 6). */
struct cgi_header {
    struct str name, value;
};
enum { CGI_MAX_HEADERS = 64, CGI_MAX_HEAD_BYTES = 32 * 1024 };
struct cgi_head {
    int status;                                 /* 200 unless Status or Location says otherwise */
    struct cgi_header headers[CGI_MAX_HEADERS]; /* without Status; views into text */
    int headers_n;
    struct str content_type;
    int64_t content_length; /* -1: not said */
};

/* NOT_FOUND: the block has not ended yet. INVALID: it is none, or over the limits. OK: *used bytes of text were the block. */
enum status cgi_head_parse(struct str text, struct cgi_head *out, size_t *used, struct error *err);

#endif
