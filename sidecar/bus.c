/* bus.c: the connections to Redis: one subscribes, one publishes. With Sentinels a third asks first who the master is. */
#include "sidecar/bus.h"

#include <hiredis/async.h>
#include <hiredis/hiredis.h>
#include <stdlib.h>

#include "lib/base/log.h"
#include "lib/net/redis_url.h"
#include "sidecar/sidecar.h"

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wstrict-prototypes"
#include <hiredis/adapters/libuv.h>
#pragma GCC diagnostic pop

enum { CONNECT_MS = 3000, FIRST_WAIT_MS = 1000, LAST_WAIT_MS = 5000, MAX_WAITING = 64 * 1024 * 1024 };

static struct {
    const struct bus_ops *ops;
    struct arena *mem; /* of the settings */
    struct redis_url url;
    char *channel;
    struct str *sentinels; /* NUL-terminated "host:port" */
    size_t sentinels_n, sentinel;
    redisAsyncContext *asking, *in, *out; /* asking: a Sentinel */
    uv_getaddrinfo_t *resolving;
    bool resolving_sentinel, subscribed, up, warned, stopping;
    char *master_host; /* as a Sentinel has said */
    int master_port;
    size_t waiting; /* bytes that Redis has not confirmed */
    int64_t wait_ms;
    struct delay *again, *deadline;
} bus;

static void connect_now(void *arg);

/* ---- the end of a connection, or of an attempt */

static void drop(redisAsyncContext **c)
{
    redisAsyncContext *old = *c;

    *c = NULL;
    if (!old)
        return;
    old->data = NULL;
    redisAsyncFree(old);
}

static void drop_all(void)
{
    if (bus.resolving) {
        bus.resolving->data = NULL; /* its callback frees it */
        uv_cancel((uv_req_t *)bus.resolving);
        bus.resolving = NULL;
    }
    drop(&bus.asking);
    drop(&bus.in);
    drop(&bus.out);
    delay_stop(&bus.deadline);
    bus.subscribed = false;
    bus.waiting = 0;
    free(bus.master_host);
    bus.master_host = NULL;
}

static void failed(const char *why)
{
    bool was_up = bus.up;

    drop_all();
    if (bus.stopping)
        return;
    if (!bus.warned)
        log_warning("Redis is away, this machine goes on alone: %s", why);
    bus.warned = true;
    bus.up = false;
    if (was_up)
        bus.ops->down();
    delay_start(&bus.again, bus.wait_ms, connect_now, NULL);
    bus.wait_ms = bus.wait_ms * 2 > LAST_WAIT_MS ? LAST_WAIT_MS : bus.wait_ms * 2;
}

/* Not from inside of hiredis, which may not lose the connection it is about. */
struct failure {
    struct delay *delay;
    char why[200];
};
static struct failure failure;

static void failed_now(void *arg)
{
    (void)arg;
    failed(failure.why);
}

static void failed_soon(const char *why)
{
    if (failure.delay || bus.stopping)
        return;
    snprintf(failure.why, sizeof(failure.why), "%s", why);
    delay_start(&failure.delay, 0, failed_now, NULL);
}

void bus_broken(const char *why)
{
    failed_soon(why);
}

static void too_late(void *arg)
{
    (void)arg;
    failed("no connection in time");
}

static void on_disconnect(const redisAsyncContext *c, int status)
{
    if (!c->data) /* dropped by ourselves */
        return;
    if (c == bus.in)
        bus.in = NULL;
    if (c == bus.out)
        bus.out = NULL;
    if (c == bus.asking)
        bus.asking = NULL;
    failed_soon(status == REDIS_OK ? "the connection was closed" : c->errstr ? c->errstr : "the connection broke");
}

static void on_connect(const redisAsyncContext *c, int status)
{
    if (status == REDIS_OK || !c->data)
        return;
    if (c == bus.in) /* hiredis frees it after this */
        bus.in = NULL;
    if (c == bus.out)
        bus.out = NULL;
    if (c == bus.asking)
        bus.asking = NULL;
    failed_soon(c->errstr ? c->errstr : "no connection");
}

/* ---- answers */

/* false: an error, and the end of it. */
static bool good_reply(redisAsyncContext *c, const redisReply *reply)
{
    if (!c->data) /* dropped */
        return false;
    if (reply && reply->type != REDIS_REPLY_ERROR)
        return true;
    failed_soon(reply ? reply->str : "no answer");
    return false;
}

static void on_setup(redisAsyncContext *c, void *reply, void *arg)
{
    (void)arg;
    good_reply(c, reply);
}

static void on_published(redisAsyncContext *c, void *reply, void *arg)
{
    size_t n = (size_t)arg;

    if (!c->data)
        return;
    bus.waiting -= n < bus.waiting ? n : bus.waiting;
    good_reply(c, reply);
}

static void on_message(redisAsyncContext *c, void *reply, void *arg)
{
    const redisReply *r = reply;

    (void)arg;
    if (!good_reply(c, r) || r->type != REDIS_REPLY_ARRAY || r->elements != 3 || !r->element[0]->str)
        return;
    if (strcmp(r->element[0]->str, "subscribe") == 0 && !bus.up) {
        bus.subscribed = bus.up = true;
        bus.wait_ms = FIRST_WAIT_MS;
        delay_stop(&bus.deadline);
        log_info("talking to other machines over Redis");
        bus.warned = false;
        bus.ops->up();
    } else if (strcmp(r->element[0]->str, "message") == 0 && r->element[2]->type == REDIS_REPLY_STRING) {
        bus.ops->message(str_n(r->element[2]->str, r->element[2]->len));
    }
}

/* ---- the beginning */

static redisAsyncContext *opened(redisAsyncContext *c)
{
    if (!c || c->err) {
        failed_soon(c && c->errstr ? c->errstr : "no connection");
        if (c)
            redisAsyncFree(c);
        return NULL;
    }
    c->data = &bus;
    redisLibuvAttach(c, sidecar.loop);
    redisAsyncSetConnectCallback(c, on_connect);
    redisAsyncSetDisconnectCallback(c, on_disconnect);
    return c;
}

static void identify(redisAsyncContext *c)
{
    if (bus.url.password.n && bus.url.user.n)
        redisAsyncCommand(c, on_setup, NULL, "AUTH %b %b", bus.url.user.p, bus.url.user.n, bus.url.password.p,
                          bus.url.password.n);
    else if (bus.url.password.n)
        redisAsyncCommand(c, on_setup, NULL, "AUTH %b", bus.url.password.p, bus.url.password.n);
}

static void open_channel(const char *address, int port)
{
    drop(&bus.asking);
    if (bus.url.path.n) {
        bus.in = opened(redisAsyncConnectUnix(bus.url.path.p));
        bus.out = bus.in ? opened(redisAsyncConnectUnix(bus.url.path.p)) : NULL;
    } else {
        bus.in = opened(redisAsyncConnect(address, port));
        bus.out = bus.in ? opened(redisAsyncConnect(address, port)) : NULL;
    }
    if (!bus.out)
        return;
    identify(bus.in);
    identify(bus.out);
    redisAsyncCommand(bus.in, on_message, NULL, "SUBSCRIBE %s", bus.channel);
}

/* ---- names: the resolver blocks, so it runs on a thread of libuv's */

static void resolved(uv_getaddrinfo_t *request, int status, struct addrinfo *found);

static void resolve(const char *host, int port, bool sentinel)
{
    struct addrinfo hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM };
    char service[16];

    bus.resolving = calloc(1, sizeof(*bus.resolving));
    if (!bus.resolving)
        abort();
    bus.resolving->data = &bus;
    bus.resolving_sentinel = sentinel;
    snprintf(service, sizeof(service), "%d", port);
    if (uv_getaddrinfo(sidecar.loop, bus.resolving, resolved, host, service, &hints) != 0) {
        free(bus.resolving);
        bus.resolving = NULL;
        failed_soon("its name cannot be looked up");
    }
}

static void on_master(redisAsyncContext *c, void *reply, void *arg)
{
    const redisReply *r = reply;
    int64_t port;

    (void)arg;
    if (!good_reply(c, r))
        return;
    if (r->type != REDIS_REPLY_ARRAY || r->elements != 2 || !r->element[0]->str || !r->element[1]->str ||
        !str_to_i64(str_of(r->element[1]->str), &port)) {
        failed_soon("the Sentinel knows no such service");
        return;
    }
    free(bus.master_host);
    bus.master_host = copy_str(str_of(r->element[0]->str));
    bus.master_port = (int)port;
    resolve(bus.master_host, bus.master_port, false);
}

static void ask_sentinel(const char *address, int port)
{
    bus.asking = opened(redisAsyncConnect(address, port));
    if (bus.asking)
        redisAsyncCommand(bus.asking, on_master, NULL, "SENTINEL get-master-addr-by-name %s", bus.url.host.p);
}

static void resolved(uv_getaddrinfo_t *request, int status, struct addrinfo *found)
{
    char address[INET6_ADDRSTRLEN] = "";
    int port = 0;

    if (request->data) {
        bus.resolving = NULL;
        if (status == 0 && found->ai_family == AF_INET) {
            const struct sockaddr_in *a = (const void *)found->ai_addr;

            uv_ip4_name(a, address, sizeof(address));
            port = ntohs(a->sin_port);
        } else if (status == 0 && found->ai_family == AF_INET6) {
            const struct sockaddr_in6 *a = (const void *)found->ai_addr;

            uv_ip6_name(a, address, sizeof(address));
            port = ntohs(a->sin6_port);
        }
        if (!address[0])
            failed_soon(status ? uv_strerror(status) : "its name has no address");
        else if (bus.resolving_sentinel)
            ask_sentinel(address, port);
        else
            open_channel(address, port);
    }
    uv_freeaddrinfo(found);
    free(request);
}

/* "host:port" of the next Sentinel; one that fails is asked again after the others. */
static void resolve_sentinel(void)
{
    struct str s = bus.sentinels[bus.sentinel++ % bus.sentinels_n];
    size_t colon = str_rfind_c(s, ':');
    int64_t port = 26379;
    char host[256];

    if (colon != STR_NPOS && str_to_i64(str_from(s, colon + 1), &port))
        s = str_sub(s, 0, colon);
    snprintf(host, sizeof(host), "%.*s", STR(s));
    resolve(host, (int)port, true);
}

static void connect_now(void *arg)
{
    (void)arg;
    drop_all();
    delay_start(&bus.deadline, CONNECT_MS, too_late, NULL);
    if (bus.url.path.n)
        open_channel(NULL, 0);
    else if (bus.sentinels_n)
        resolve_sentinel();
    else
        resolve(bus.url.host.p, bus.url.port, false);
}

bool bus_start(json_object *settings, const struct bus_ops *ops)
{
    json_object *sentinels = json_get(settings, "sentinels");
    struct error err = { "" };

    bus.mem = arena_new(1024);
    if (redis_url_parse(bus.mem, json_str(settings, "url"), &bus.url, &err) != OK) {
        log_error("several machines: %s", err.text);
        arena_free(bus.mem);
        return false;
    }
    bus.ops = ops;
    bus.channel = str_c(bus.mem, json_str(settings, "channel"));
    bus.sentinels = arena_new_array(bus.mem, struct str, json_length(sentinels));
    JSON_EACH (sentinels, i, one)
        bus.sentinels[bus.sentinels_n++] = str_copy(bus.mem, json_str_value(one));
    bus.wait_ms = FIRST_WAIT_MS;
    connect_now(NULL);
    return true;
}

bool bus_is_up(void)
{
    return bus.up;
}

void bus_publish(struct str head, struct str body)
{
    struct buf text = BUF(NULL, MAX_WAITING);
    const char *argv[3] = { "PUBLISH", bus.channel, NULL };
    size_t lengths[3] = { 7, 0, 0 };

    if (!bus.up || !bus.out)
        return;
    buf_add_str(&text, head);
    buf_add_char(&text, '\n');
    buf_add_str(&text, body);
    if (buf_failed(&text) || bus.waiting + text.n > MAX_WAITING) {
        failed_soon("it does not take what we send");
    } else {
        argv[2] = text.p;
        lengths[1] = strlen(bus.channel);
        lengths[2] = text.n;
        bus.waiting += text.n;
        redisAsyncCommandArgv(bus.out, on_published, (void *)text.n, 3, argv, lengths); /* NOLINT: a number */
    }
    buf_free(&text);
}

void bus_stop(void)
{
    if (bus.up && bus.out)
        redisAsyncHandleWrite(bus.out); /* what was said last */
    bus.stopping = true;
    bus.up = false;
    delay_stop(&bus.again);
    delay_stop(&failure.delay);
    drop_all();
}
