/* response.h: how a handler answers. Every function here returns the HTTP status, so that a handler can `return reply_json(…)`. */
#ifndef FCGI_RESPONSE_H
#define FCGI_RESPONSE_H

#include "lib/base/arena.h"
#include "lib/base/str.h"
#include "lib/db/db.h"
#include "lib/json/json.h"

enum { RESPONSE_PIECES = 16 };

/* A body of unknown length goes there while it is made. */
struct response_sink;
typedef void response_maker(struct response_sink *to, void *arg);
bool response_send(struct response_sink *to, struct str piece); /* at once; false: nobody reads any more */
void response_break(struct response_sink *to);                  /* the client is to see that the rest is missing */

struct response {
    struct arena *mem;
    int status;
    struct str content_type;
    struct buf headers;                 /* "Name: value\r\n" …, written only by response_header() */
    struct str pieces[RESPONSE_PIECES]; /* the body, in order; views that live as long as mem */
    int pieces_n;
    struct buf tail; /* what did not fit the pieces; the last piece is a view of it */
    int fd;          /* ≥ 0: the body is this file (closed afterwards); Range is answered */
    int64_t fd_bytes;
    response_maker *make; /* not NULL: the body is made while it is sent */
    void *make_arg;
    bool is_plan;
};

/* An empty answer, status 0, that allocates in mem. */
void response_init(struct response *out, struct arena *mem);
/* Forgets the answer so far, with its headers; closes its file. */
void response_clear(struct response *out);

/* CR, LF or NUL in name or value: the header is left out and an error is logged. */
void response_header(struct response *out, const char *name, struct str value);
/* Set-Cookie with HttpOnly unless readable; max_age_s < 0: a session cookie; 0: deletes it. SameSite and Secure come from the settings of the process. */
struct cookie {
    const char *name;
    struct str value;
    int64_t expires_s; /* Unix time; 0: none */
    bool http_only, secure, delete_it;
    const char *same_site; /* "lax" … ; NULL: none */
};
void response_cookie(struct response *out, const struct cookie *c);

int reply_json(struct response *out, json_object *body); /* 200 */
int reply_json_status(struct response *out, int status, json_object *body);
int reply_json_text(struct response *out,
                    struct str json); /* 200; text that is JSON already and lives in out->mem (or longer) */
int reply_bool(struct response *out, bool value);
int reply_null(struct response *out);
int reply_text(struct response *out, int status, const char *content_type, struct str body);
int reply_empty(struct response *out, int status);
int reply_redirect(struct response *out, int status, struct str location);
int reply_file(struct response *out, int fd, int64_t bytes, const char *content_type); /* fd is taken over */
/* make is called when the head has been sent (for HEAD: not at all); arg lives in out->mem or longer. */
int reply_stream(struct response *out, const char *content_type, response_maker *make, void *arg);
/* A body in pieces, for documents that go out unparsed: start with reply_pieces(), then add. Neighbours are merged when they are too many. */
int reply_pieces(struct response *out, int status, const char *content_type);
void response_add(struct response *out, struct str piece);

/* {"detail": text}. */
int fail(struct response *out, int status, const char *format, ...) __attribute__((format(printf, 3, 4)));
int fail_json(struct response *out, int status, json_object *detail); /* {"detail": <json>} */
/* 422 in FastAPI's shape, for what a handler checks itself: one complaint about a member of "body", "query" or "path" (where); member NULL: about all of
 * it. type and msg as pydantic has them ("greater_than_equal", "Input should be …"); input NULL: null; ctx NULL: none. */
int fail_form(struct response *out, const char *where, const char *member, const char *type, const char *msg,
              json_object *input, json_object *ctx);
/* After DB_ERROR: 503 with Retry-After when the database is away or locked, else 500; the cause is logged. */
int fail_db(struct response *out, struct db *db);
int fail_status(struct response *out, enum status st,
                const struct error *
                    err); /* INVALID 400, NOT_FOUND 404, UNAVAILABLE 503, TOO_BIG 413, NO_SPACE 507, else 500; logged */

/* A worker's answer to the sidecar: what to do next (see docs/architecture.md, "Plans"). */
int reply_plan(struct response *out, json_object *plan);

#endif
