/* serve.c: one request from its first parameter to the last byte of its answer. */
#include "fcgi/serve.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fcgi/access.h"
#include "fcgi/form.h"
#include "fcgi/openapi.h"
#include "fcgi/output.h"
#include "fcgi/query.h"
#include "fcgi/relay.h"
#include "handlers/routes.h"
#include "lib/auth/auth.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/random.h"
#include "lib/base/shared.h"
#include "lib/db/migrate.h"

enum { FIRST_BLOCK = 128 * 1024 };
static const int64_t max_upload = 100 * 1024 * 1024 + 1024 * 1024; /* 100 MB and their multipart frame */

/* ---- the process */

static const char *frontend_dir(struct arena *mem, const struct config *c)
{
    struct str dir = config_str(c, CFG_WEBUI_FRONTEND_DIR);

    if (dir.n == 0)
        dir = config_str(c, CFG_FRONTEND_BUILD_DIR);
    return dir.n ? str_c(mem, dir) : NULL;
}

static enum status build_router(struct server *s, struct error *err)
{
    const struct route *tables[64] = { openapi_routes };
    size_t n = 1;
    enum status st;

    for (const struct route *const *t = route_tables; *t; t++) {
        if (n + 1 == sizeof(tables) / sizeof(*tables))
            return error_set(err, FAILED, "too many tables");
        tables[n++] = *t;
    }
    st = router_new(tables, &s->router, err);
    if (st == OK)
        openapi_init(s->router);
    return st;
}

enum status server_init(struct server *s, bool in_worker, struct error *err)
{
    enum status st;

    memset(s, 0, sizeof(*s));
    s->in_worker = in_worker;
    st = build_router(s, err);
    if (st != OK)
        return error_add(err, st, "the routes");
    st = config_open(&s->config, err);
    if (st != OK)
        return error_add(err, st, "the settings");
    st = db_open(config_database_url(s->config), &s->db, err);
    if (st != OK)
        return error_add(err, st, "the database");
    s->start_mem = arena_new(16 * 1024);
    s->mem = arena_new(FIRST_BLOCK);
    policy_init(&s->policy, s->start_mem, s->config);
    s->frontend_dir = frontend_dir(s->start_mem, s->config);
    s->is_dev = str_is(config_str(s->config, CFG_ENV), "dev");
    s->log_requests = config_bool(s->config, CFG_WEBUI_ACCESS_LOG);
    s->max_json_bytes = config_int(s->config, CFG_WEBUI_MAX_BODY_BYTES);
    s->max_upload_bytes = s->max_json_bytes > max_upload ? s->max_json_bytes : max_upload;
    server_after_fork(s);
    return OK;
}

enum status server_prepare(struct server *s, struct error *err)
{
    struct arena_mark mark = arena_mark(s->mem);
    struct schema schema;
    struct str key;
    enum status st = config_secret_key(s->config, true, &key, err);

    if (st == OK)
        st = db_connect(s->db, err);
    if (st == OK)
        st = migrate_up(s->db, s->mem, &schema, err);
    if (st == OK && schema.created)
        log_info("the database was empty: its tables were made");
    if (st == OK && schema.note.n)
        log_warning("%.*s", STR(schema.note));
    if (st == OK)
        st = config_refresh(s->config, s->db, err);
    if (st == OK)
        st = auth_make_demo_account(s->db, s->config, err);
    arena_rewind(s->mem, mark);
    return st;
}

void server_warm(struct server *s)
{
    struct arena_mark mark = arena_mark(s->mem);

    config_refresh(s->config, s->db, NULL);
    arena_rewind(s->mem, mark);
}

void server_after_fork(struct server *s)
{
    random_bytes(&s->id_prefix, sizeof(s->id_prefix));
    s->requests = 0;
}

void server_free(struct server *s)
{
    arena_free(s->mem);
    arena_free(s->start_mem);
    db_close(s->db);
    config_close(s->config);
    router_free(s->router);
}

/* ---- the request */

static int bad_request(struct response *out, const char *why)
{
    log_warning("a request was refused: %s", why);
    return fail(out, 400, "Bad Request");
}

/* Some web servers pass "http://host/path" on. */
static struct str without_host(struct str uri)
{
    size_t scheme, slash;

    if (uri.n && uri.p[0] == '/')
        return uri;
    scheme = str_find(uri, S("://"));
    if (scheme == STR_NPOS)
        return uri;
    slash = str_find_c(str_from(uri, scheme + 3), '/');
    return slash == STR_NPOS ? S("/") : str_from(uri, scheme + 3 + slash);
}

static void read_line(struct server *s, struct request *r)
{
    size_t mark;

    r->id = str_f(r->mem, "%08x%06llx", (unsigned)s->id_prefix,
                  (unsigned long long)(s->id_prefix >> 40) + ++s->requests);
    r->method = method_of(request_param(r, "REQUEST_METHOD"));
    r->uri = without_host(request_param(r, "REQUEST_URI"));
    mark = str_find_c(r->uri, '?');
    r->path = str_sub(r->uri, 0, mark);
    r->query = mark == STR_NPOS ? STR_NONE : str_from(r->uri, mark + 1);
    r->content_type = request_param(r, "CONTENT_TYPE");
    r->remote_addr = request_param(r, "REMOTE_ADDR");
    r->task_id = request_param(r, "WEBUI_TASK_ID");
}

/* CONTENT_LENGTH as a number, 0 when there is none; -1: it is no number. */
static int64_t content_length(const struct request *r)
{
    struct str text = request_param(r, "CONTENT_LENGTH");
    int64_t n;

    if (text.n == 0)
        return 0;
    for (size_t i = 0; i < text.n; i++)
        if (text.p[i] < '0' || text.p[i] > '9')
            return -1;
    return str_to_i64(text, &n) ? n : -1;
}

static int64_t body_limit(const struct server *s, const struct request *r)
{
    bool is_upload = r->route ? r->route->body == BODY_MULTIPART || r->route->body == BODY_RAW
                              : str_starts(r->content_type, "multipart/");

    return is_upload ? s->max_upload_bytes : s->max_json_bytes;
}

/* 0, or the status of the refusal. The body must be what its length says. */
static int read_body(struct server *s, struct wire *w, struct request *r, struct response *out)
{
    int64_t n = content_length(r), limit = body_limit(s, r);
    char *body;

    if (n < 0)
        return bad_request(out, "its content length is no number");
    if (n == 0)
        return 0;
    if (n > limit) {
        if (n <= 4 * s->max_upload_bytes)
            wire_skip(w, n); /* or the web server, still writing, would not hear the answer */
        return fail(out, 413, "Request Entity Too Large");
    }
    body = arena_alloc(r->mem, (size_t)n + 1);
    if (wire_read(w, body, (size_t)n) != (size_t)n)
        return bad_request(out, "its body is shorter than its content length");
    body[n] = '\0';
    r->body = str_n(body, (size_t)n);
    return 0;
}

/* ---- routing */

static void take_match(struct request *r, const struct match *m)
{
    r->route = m->route;
    r->args_n = m->args_n;
    for (int i = 0; i < m->args_n; i++) {
        r->args[i].name = m->args[i].name;
        r->args[i].value = m->args[i].value;
    }
}

static bool is_hidden_here(const struct server *s, const struct route *route)
{
    return (route->access == INTERNAL && !s->in_worker) || (openapi_owns(route) && !s->is_dev);
}

/* Sets r->route, or fills out with the refusal. *known: the path exists, with other methods. */
static int find_route(struct server *s, struct request *r, struct response *out, unsigned *allowed)
{
    struct match m;

    *allowed = 0;
    if (router_find(s->router, r->mem, r->method, r->path, &m) != OK)
        return bad_request(out, "its path is no clean UTF-8, or climbs");
    if (!m.route && r->method == HEAD && (m.allowed & (1u << GET)))
        router_find(s->router, r->mem, GET, r->path, &m);
    if (m.route && is_hidden_here(s, m.route))
        return 0;
    *allowed = m.allowed;
    if (m.route)
        take_match(r, &m);
    return 0;
}

static void refuse_method(struct request *r, struct response *out, unsigned allowed)
{
    if (allowed & (1u << GET))
        allowed |= 1u << HEAD;
    fail(out, 405, "Method Not Allowed");
    if (allowed)
        response_header(out, "Allow", method_list(r->mem, allowed));
}

static bool send_frontend(struct server *s, struct response *out)
{
    struct stat st;
    int dir = open(s->frontend_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC), fd;

    if (dir < 0)
        return false;
    fd = openat(dir, "index.html", O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    close(dir);
    if (fd < 0)
        return false;
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
        close(fd);
        return false;
    }
    reply_file(out, fd, st.st_size, "text/html; charset=utf-8");
    return true;
}

/* What no route has: the application's page, as the web server would have answered it. */
static void answer_unknown(struct server *s, struct request *r, struct response *out)
{
    if (r->method != GET && r->method != HEAD) {
        fail(out, 405, "Method Not Allowed");
        return;
    }
    if (r->method == GET && str_ends(r->path, "/watch") && query_last(r->mem, r->query, "v").n) {
        struct buf to = BUF(r->mem, 64 * 1024);
        struct str rest = r->query, name, value;

        while (query_next(r->mem, &rest, &name, &value))
            if (str_is(name, "v") && value.n)
                break;
        buf_add_c(&to, "/?youtube=");
        buf_add_urlencoded(&to, value);
        reply_redirect(out, 307, buf_str(&to));
        return;
    }
    if (s->frontend_dir && !str_ends(r->path, ".js") && !str_starts(r->path, "/internal/") && send_frontend(s, out))
        return;
    fail(out, 404, "Not Found");
}

static void run(struct server *s, struct request *r, struct response *out)
{
    struct error err = { "" };

    if (config_refresh(s->config, s->db, &err) != OK)
        log_warning("%s", err.text);
    r->db = s->db;
    r->config = s->config;
    if (access_admit(r, out) != 0)
        return;
    if (form_validate(r, out) != 0)
        return;
    r->route->handler(r, out);
    if (db_in_transaction(s->db)) {
        log_error("%s %s left a transaction open: it was rolled back", method_name(r->route->method), r->route->path);
        db_rollback(s->db);
    }
    if (out->status == 0) {
        log_error("%s %s gave no answer", method_name(r->route->method), r->route->path);
        fail(out, 500, "Internal Server Error");
    }
}

/* ---- all of it */

static void finish(struct server *s, struct wire *w, struct request *r, struct response *out, int64_t started_us)
{
    int64_t took_us = mono_us() - started_us;

    response_header(out, "X-Request-ID", r->id);
    response_header(out, "X-Process-Time", str_f(r->mem, "%lld", (long long)(took_us / 1000000)));
    output_send(w, r, out);
    if (s->log_requests)
        log_info("%s %.*s %d %lld.%lld ms user=%.*s", method_name(r->method), STR(r->path), out->status,
                 (long long)(took_us / 1000), (long long)(took_us / 100 % 10), STR(r->user ? r->user->id : S("-")));
    else if (out->status >= 500 && out->status != 501)
        log_error("%s %.*s was answered %d", method_name(r->method), STR(r->path), out->status);
}

/* True: the sidecar has answered, through w. */
static bool answer(struct server *s, struct wire *w, struct request *r, struct response *out)
{
    unsigned allowed;

    if (policy_preflight(&s->policy, r, out))
        return false;
    if (find_route(s, r, out, &allowed) == 0 && read_body(s, w, r, out) == 0) {
        if (!s->in_worker && (relay_is_socket(r->path) || (r->route && r->route->server == SIDECAR))) {
            if (relay(s->config, w, r, out))
                return true;
        } else if (r->route) {
            run(s, r, out);
        } else if (allowed) {
            refuse_method(r, out, allowed);
        } else {
            answer_unknown(s, r, out);
        }
    }
    policy_apply(&s->policy, r, out);
    return false;
}

static void serve_one(struct server *s, struct wire *w)
{
    struct request r = { .mem = s->mem, .params = w->params, .in_worker = s->in_worker };
    struct response out;
    int64_t started_us = mono_us();

    read_line(s, &r);
    log_request_id(r.id);
    response_init(&out, s->mem);
    if (!answer(s, w, &r, &out))
        finish(s, w, &r, &out, started_us);
}

void serve(struct server *s, struct wire *w)
{
    shared_busy(1);
    serve_one(s, w);
    wire_end(w);
    log_request_id(STR_NONE);
    arena_reset(s->mem);
    shared_busy(-1);
}
