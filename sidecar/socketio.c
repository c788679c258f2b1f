/* socketio.c: Socket.IO 5 on an Engine.IO connection. */
#include "sidecar/socketio.h"

#include <stdlib.h>

#include "lib/base/clock.h"
#include "lib/base/encode.h"
#include "lib/base/log.h"
#include "lib/base/random.h"
#include "lib/net/socketio.h"
#include "sidecar/direct.h"
#include "sidecar/events.h"
#include "sidecar/map.h"
#include "sidecar/missed.h"
#include "sidecar/plans.h"
#include "sidecar/sessions.h"
#include "sidecar/sidecar.h"
#include "sidecar/steps.h"
#include "sidecar/tasks.h"
#include "sidecar/ydoc.h"

enum {
    STRANGER_MS = 30 * 1000,
    EVENTS_BURST = 600, /* several people who type in one note make many */
    EVENTS_PER_S = 200,
    CHUNKS_BURST = 5000,
    CHUNKS_PER_S = 2000, /* of a direct connection: each line of the stream is an event */
    MAX_ASKS = 32,
    IDENTIFY_MS = 5 * 1000,
    STRANGER_JOINS = 20,
    SKEW_S = 60
};

struct ask {
    struct ask *next;
    int64_t id, until_ms;
    ask_fn *fn;
    void *arg;
};

/* ---- life */

struct session *socketio_opened(struct eio *e)
{
    struct session *s = calloc(1, sizeof(*s));
    unsigned char bytes[18];
    struct arena *mem = arena_new(256);

    if (!s)
        abort();
    random_bytes(bytes, sizeof(bytes));
    memcpy(s->sid, base64url_encode(mem, str_n((char *)bytes, sizeof(bytes))).p, 24);
    arena_free(mem);
    s->eio = e;
    s->opened_ms = s->allowance_ms = mono_ms();
    s->allowance = EVENTS_BURST;
    s->binary = BUF(NULL, EIO_MAX_PAYLOAD);
    s->join_ack = -1;
    sessions_add(s);
    return s;
}

static void drop_attachments(struct session *s)
{
    for (int i = 0; i < s->attachments_n; i++)
        free((char *)s->attachments[i].p);
    s->attachments_n = s->attachments_want = 0;
    s->attachments_bytes = 0;
    buf_free(&s->binary);
    s->binary = BUF(NULL, EIO_MAX_PAYLOAD);
}

void socketio_closed(struct session *s)
{
    while (s->asks) {
        struct ask *a = s->asks;

        s->asks = a->next;
        a->fn(a->arg, STR_NONE);
        free(a);
    }
    step_cancel(s->identifying);
    direct_closed(s);
    ydoc_session_gone(s);
    if (!s->goodbye) /* who closes a tab does not come back with it */
        runs_session_gone(str_of(s->sid));
    missed_session_gone(s);
    sessions_remove(s);
    drop_attachments(s);
    buf_free(&s->binary);
    free(s);
}

void socketio_disconnect(struct session *s)
{
    struct packet *p = packet_new(S("41"), false);

    socketio_send(s, p);
    packet_drop(p);
    eio_close(s->eio);
}

/* ---- sending */

struct packet *event_packet(struct str event, struct str data)
{
    struct buf name = BUF(NULL, 4096);
    struct packet *p;

    buf_add_c(&name, "42[");
    buf_add_json_string(&name, event);
    buf_add_char(&name, ',');
    p = packet_of(buf_str(&name), data, S("]"));
    buf_free(&name);
    return p;
}

void socketio_send(struct session *s, struct packet *p)
{
    if (s->connected)
        eio_send(s->eio, p);
}

static void send_f(struct session *s, const char *head, int64_t id, struct str rest)
{
    struct buf b = BUF(NULL, 64);
    struct packet *p;

    buf_add_c(&b, head);
    if (id >= 0)
        buf_addf(&b, "%lld", (long long)id);
    p = packet_of(buf_str(&b), rest, STR_NONE);
    eio_send(s->eio, p);
    packet_drop(p);
    buf_free(&b);
}

void socketio_ack(struct session *s, int64_t id, struct str json_list)
{
    if (id >= 0 && s->connected)
        send_f(s, "43", id, json_list);
}

static void connected(struct session *s)
{
    struct buf b = BUF(NULL, 128);

    if (s->connected)
        return;
    s->connected = true;
    buf_addf(&b, "{\"sid\":\"%s\"}", s->sid);
    send_f(s, "40", -1, buf_str(&b));
    buf_free(&b);
}

/* ---- questions */

void socketio_ask(struct session *s, struct str event, struct str data, int64_t timeout_ms, ask_fn *fn, void *arg)
{
    struct ask *a;
    struct buf head = BUF(NULL, 4096);
    struct packet *p;
    int n = 0;

    for (a = s->asks; a; a = a->next)
        n++;
    if (n >= MAX_ASKS || !s->connected) {
        fn(arg, STR_NONE);
        return;
    }
    a = calloc(1, sizeof(*a));
    if (!a)
        abort();
    *a = (struct ask){ s->asks, ++s->last_ask, mono_ms() + timeout_ms, fn, arg };
    s->asks = a;
    buf_addf(&head, "42%lld[", (long long)a->id);
    buf_add_json_string(&head, event);
    buf_add_char(&head, ',');
    p = packet_of(buf_str(&head), data, S("]"));
    eio_send(s->eio, p);
    packet_drop(p);
    buf_free(&head);
}

static struct ask **find_ask(struct session *s, int64_t id)
{
    struct ask **at = &s->asks;

    while (*at && (*at)->id != id)
        at = &(*at)->next;
    return at;
}

static void answered(struct session *s, int64_t id, struct str answer)
{
    struct ask **at = find_ask(s, id), *a = *at;

    if (!a)
        return;
    *at = a->next;
    a->fn(a->arg, answer);
    free(a);
}

void socketio_ask_cancel(void *arg)
{
    MAP_EACH(all_sessions(), entry)
    {
        struct session *s = entry->value;
        struct ask **at = &s->asks, *a;

        while ((a = *at)) {
            if (a->arg != arg) {
                at = &a->next;
                continue;
            }
            *at = a->next;
            free(a);
        }
    }
}

static void bad(struct session *s, const char *why)
{
    stats.sockets_refused++;
    log_info("socket of %s closed: %s", s->user ? s->user->id : "a stranger", why);
    eio_close(s->eio);
}

void socketio_complain(struct session *s, const char *what, struct str event)
{
    if (s->complained)
        return;
    s->complained = true;
    log_info("socket of %s: %s \"%.*s\" (said once a socket)", s->user ? s->user->id : "a stranger", what,
             STR(str_utf8_first(event, 40)));
}

/* ---- who it is */

static void ack_join(struct session *s, struct str id, struct str name)
{
    struct buf b = BUF(NULL, 16 * 1024);

    if (!s->joining)
        return;
    s->joining = false;
    if (id.p) {
        buf_add_c(&b, "[{\"id\":");
        buf_add_json_string(&b, id);
        buf_add_c(&b, ",\"name\":");
        buf_add_json_string(&b, name);
        buf_add_c(&b, "}]");
    } else {
        buf_add_c(&b, "[]");
    }
    socketio_ack(s, s->join_ack, buf_str(&b));
    s->join_ack = -1;
    buf_free(&b);
}

static void become(struct session *s, struct str body)
{
    struct arena *mem = arena_new(4096);
    json_object *answer = json_parse_or_null(mem, body), *user = json_get(answer, "user");
    struct str id = json_str(user, "id");
    bool joined = s->joining;

    if (s->user && !str_is(id, s->user->id)) /* somebody else on the same socket */
        ydoc_session_gone(s);
    if (id.n && session_set_user(s, id, json_text(mem, user))) {
        s->expires_s = json_int(answer, "expires_at", 0);
        session_set_rooms(s, "channel:", json_get(answer, "rooms"));
        connected(s);
        ack_join(s, id, json_str(user, "name"));
        if (joined) {
            tasks_show_all(s);
            missed_tell(s);
        }
    } else {
        connected(s);
        ack_join(s, STR_NONE, STR_NONE);
    }
    arena_free(mem);
}

static void identified(void *arg, enum status st, int status, struct str content_type, struct str body)
{
    struct session *s = arg;

    (void)content_type;
    s->identifying = NULL;
    if (st == OK) {
        become(s, body);
    } else if (st == FAILED && status >= 400 && status < 500) {
        connected(s);
        ack_join(s, STR_NONE, STR_NONE);
    } else { /* nobody can tell now: the client comes again by itself */
        eio_close(s->eio);
    }
}

void socketio_identify(struct session *s, struct str token, bool join, int64_t ack)
{
    struct buf body = BUF(NULL, 64 * 1024);

    if (!s->user && ++s->joins > STRANGER_JOINS) {
        bad(s, "too many tokens");
        return;
    }
    step_cancel(s->identifying);
    s->identifying = NULL;
    if (s->joining)
        ack_join(s, STR_NONE, STR_NONE);
    s->joining = join;
    s->join_ack = ack;
    buf_add_c(&body, "{\"token\":");
    buf_add_json_string(&body, token);
    buf_add_char(&body, '}');
    if (token.n == 0 || buf_failed(&body)) {
        connected(s);
        ack_join(s, STR_NONE, STR_NONE);
    } else {
        s->identifying = step_call(S("/internal/session"), buf_str(&body), STR_NONE, IDENTIFY_MS, identified, s);
    }
    buf_free(&body);
}

/* ---- packets */

void socketio_allow_stream(struct session *s)
{
    s->allowance = CHUNKS_BURST;
}

static bool may_speak(struct session *s)
{
    int64_t now_ms = mono_ms();
    bool streams = direct_is_open(s);
    double burst = streams ? CHUNKS_BURST : EVENTS_BURST;

    s->allowance += (double)(now_ms - s->allowance_ms) * (streams ? CHUNKS_PER_S : EVENTS_PER_S) / 1000;
    if (s->allowance > burst)
        s->allowance = burst;
    s->allowance_ms = now_ms;
    if (s->allowance < 1)
        return false;
    s->allowance--;
    return true;
}

static void take(struct session *s, struct arena *mem, const struct sio_packet *p)
{
    struct buf refusal = BUF(NULL, 1024);

    if (!str_is(p->namespace, "/")) {
        if (p->type == SIO_CONNECT && p->namespace.n < 200) {
            buf_addf(&refusal, "%.*s,{\"message\":\"Unable to connect\"}", STR(p->namespace));
            send_f(s, "44", -1, buf_str(&refusal));
            buf_free(&refusal);
        }
        return;
    }
    switch (p->type) {
    case SIO_CONNECT:
        if (json_str(p->data, "token").n && !s->connected && !s->identifying)
            socketio_identify(s, json_str(p->data, "token"), false, -1);
        else if (!s->identifying)
            connected(s);
        break;
    case SIO_DISCONNECT:
        s->goodbye = true;
        eio_close(s->eio);
        break;
    case SIO_EVENT:
    case SIO_BINARY_EVENT:
        if (s->connected || s->identifying)
            event_received(s, mem, p->data, p->id);
        break;
    case SIO_ACK:
    case SIO_BINARY_ACK: answered(s, p->id, json_text(mem, p->data)); break;
    default: break;
    }
}

void socketio_text(struct session *s, struct str text)
{
    struct arena *mem;
    struct sio_packet p;
    struct error err;

    if (s->attachments_want) {
        bad(s, "text instead of an attachment");
        return;
    }
    if (!may_speak(s)) {
        bad(s, "too many events");
        return;
    }
    mem = arena_new(text.n * 2 + 1024);
    if (sio_parse(mem, text, &p, &err) != OK) {
        bad(s, err.text);
    } else if (p.attachments) {
        s->attachments_want = p.attachments;
        buf_add_str(&s->binary, text);
    } else {
        take(s, mem, &p);
    }
    arena_free(mem);
}

static void binary_whole(struct session *s)
{
    struct arena *mem = arena_new(s->binary.n * 2 + 1024);
    struct sio_packet p;
    struct error err;

    if (sio_parse(mem, buf_str(&s->binary), &p, &err) == OK &&
        sio_attach(mem, &p.data, s->attachments, s->attachments_n, &err) == OK) {
        drop_attachments(s);
        take(s, mem, &p);
    } else {
        bad(s, err.text);
    }
    arena_free(mem);
}

void socketio_binary(struct session *s, struct str bytes)
{
    char *copy;

    if (!s->attachments_want || s->attachments_bytes + bytes.n > EIO_MAX_PAYLOAD) {
        bad(s, "unexpected attachment");
        return;
    }
    copy = copy_str(str_n(bytes.p ? bytes.p : "", bytes.n));
    s->attachments[s->attachments_n++] = str_n(copy, bytes.n);
    s->attachments_bytes += bytes.n;
    if (s->attachments_n == s->attachments_want)
        binary_whole(s);
}

/* ---- time */

void socketio_tick(int64_t now_ms)
{
    direct_tick(now_ms);
    MAP_EACH(all_sessions(), entry)
    {
        struct session *s = entry->value;

        if (!s->user && !s->identifying && now_ms - s->opened_ms > STRANGER_MS)
            eio_close(s->eio);
        if (s->user && s->expires_s && now_s() > s->expires_s + SKEW_S)
            socketio_disconnect(s);
        for (struct ask *a = s->asks, *next; a; a = next) {
            next = a->next;
            if (now_ms > a->until_ms) {
                answered(s, a->id, STR_NONE);
                break; /* the list may have changed: the others have another second */
            }
        }
    }
}
