/* plans.h: carries out what a worker has planned (docs/plans.md). A run is one request's plan and all that follows from it. */
#ifndef SIDECAR_PLANS_H
#define SIDECAR_PLANS_H

#include "lib/chat/transcript.h"
#include "lib/net/sse.h"
#include "sidecar/steps.h"
#include "sidecar/upstream.h"

#define PLAN_TYPE "application/vnd.webui.plan+json"
#define RUN_BODY_BYTES (32 * 1024 * 1024) /* of an answer that is read whole */

struct client_ops { /* who asked: an HTTP request, or a WebSocket. reply, end and abort are the last call */
    void (*reply)(void *client, int status, struct str content_type, struct str headers, struct str body);
    void (*begin)(void *client, int status, struct str content_type, struct str headers);
    void (*write)(void *client, struct str piece);
    void (*end)(void *client);
    void (*abort)(void *client);
    size_t (*waiting)(void *client);
};

struct run {
    struct run *next_run, **prev_run;
    struct run *next, **prev; /* among the tasks */
    bool listed;
    char *task_id, *user_id, *chat_id, *message_id, *session_id, *model;
    int64_t started_ms; /* Unix time */
    unsigned plans, plans_that_cost;
    struct buf event_head; /* of its chat-events */

    const struct client_ops *client; /* NULL: answered, or gone */
    void *client_owner;
    bool client_began, client_is_sse, client_is_written; /* is_written: by "write" of plans */
    int64_t client_wrote_ms;

    enum phase { RUN_NOTHING, RUN_PREPARE, RUN_ASK, RUN_UPSTREAM, RUN_WAIT, RUN_THEN } phase;
    enum deliver { DELIVER_JSON, DELIVER_CLIENT, DELIVER_SOCKET } deliver;
    enum format { FORMAT_OPENAI, FORMAT_OLLAMA, FORMAT_RAW } format;
    char *then, *state; /* state: JSON text */
    struct step *step;
    struct delay *wait; /* with RUN_WAIT */
    char *wait_key;

    struct upstream *upstream; /* and what it has answered */
    struct delay *later;       /* it is not to be called yet */
    char *spec;                /* … JSON text of the call */
    struct direct *direct;     /* instead of it: a browser hands over what a provider says */
    int64_t upstream_since_ms;
    int status;
    char *content_type;
    struct buf headers, kept_headers, body;
    int64_t
        answer_id; /* a stream of events that is read whole ends with the answer to this request; 0: with the connection */
    size_t answer_at; /* so much of the body was looked at for it */
    bool wants_stream, streaming, convert, errors_then, too_big, converted_done;
    char *prefix, *suffix, *client_headers;
    size_t bytes;
    struct line_reader lines;
    struct transcript *transcript;
    struct spool *spool;

    struct pending *calls, **calls_end;
    bool in_calls, recovered;
    const char *stop; /* why it is to end; NULL: it goes on */
    bool told_cancel;
    bool tab_away, snapshot_kept; /* the tab that asked is not there: what it misses is kept (missed.h) */
};

/* plan: JSON text of the worker. task_id: as it was given to the worker. *handle is set to the run before anything else happens; it is
 * good until the client has been answered (reply, end, abort) or run_client_gone(). */
void run_start(const struct client_ops *client, void *owner, struct str task_id, struct str plan, void **handle);
void run_client_gone(struct run *r);
void run_client_drained(struct run *r);
void run_stop(struct run *r, const char *why); /* "user", "shutdown" */
/* What a spool file holds goes to its finish step (spool.c). */
void run_recover(json_object *header, struct transcript *t, struct spool *spool);

/* Between the parts of a run */
void run_reply(struct run *r, int status, struct str type, struct str headers,
               struct str body); /* nothing if the client has been answered, or is gone */
void run_add_headers(struct buf *lines, json_object *headers);
void run_then(struct run *r, struct arena *mem,
              json_object *outcome); /* calls the step; r may be gone afterwards, as after all that follow */
void run_then_simple(struct run *r, const char *status, const char *error);
void run_emit(struct run *r, struct str data); /* a chat-event to the user's tabs */
void run_emit_lines(struct run *r, struct str lines);
void run_upstream_ended(struct run *r, json_object *outcome, struct arena *mem); /* the outcome goes to then */
json_object *run_outcome(struct run *r, struct arena *mem, const char *status);  /* with what every outcome has */
void run_add_body(struct run *r, struct arena *mem, json_object *outcome);

void runs_wake(struct str job); /* those that wait for this job go on */
void runs_stop_waiting(void);
/* The tab has gone. */
void runs_session_gone(struct str sid);
void runs_tick(int64_t mono_now_ms);
unsigned runs_count(void);

void run_reply_detail(struct run *r, int status, const char *detail);

/* run_upstream.c */
void run_call_upstream(struct run *r, struct arena *mem, json_object *plan, json_object *spec);
void run_forget_upstream(struct run *r); /* cancels the call, and drops what it has answered */
/* Makes ready for an answer from somewhere: who gets it, and how. */
void run_expect_answer(struct run *r, struct arena *mem, json_object *plan, json_object *spec);

/* direct.c: an answer that comes through a tab */
void direct_ask(struct run *r, struct arena *mem, json_object *plan, json_object *question);
void direct_forget(struct run *r);

/* generation.c: deliver "socket" */
bool generation_head(struct run *r); /* true: the answer is a stream */
void generation_data(struct run *r, struct str piece);
void generation_settled(struct run *r);
void generation_end(struct run *r, enum status st, const char *why);
void generation_stop(struct run *r);
void generation_tick(struct run *r, int64_t now_ms);
void generation_free(struct run *r);

/* deliver.c: deliver "client" */
bool deliver_head(struct run *r); /* true: it goes to the client; false: read whole, then decides */
void deliver_data(struct run *r, struct str piece);
bool deliver_end(struct run *r, enum status st); /* false: nothing was begun */
void deliver_tick(struct run *r, int64_t now_ms);

#endif
