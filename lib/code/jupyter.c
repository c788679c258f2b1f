/* jupyter.c: Jupyter's REST API for the kernel, its WebSocket for the messages (jupyter-client's protocol 5.3). */
#include "lib/code/jupyter.h"

#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/random.h"
#include "lib/json/json.h"
#include "lib/net/ws_client.h"

enum { REST_MS = 15 * 1000, KERNEL_MS = 60 * 1000, COOKIES_MAX = 16, TIMEOUT_S = 60, MESSAGE_MAX = 32 * 1024 * 1024 };

struct cookie {
    struct str name, value;
};

struct session {
    struct arena *mem;
    const struct jupyter *server;
    struct str base; /* without a slash at the end */
    struct cookie cookies[COOKIES_MAX];
    int cookies_n;
    struct str kernel; /* absent: none is running */
    struct buf out, err, result;
};

/* ---- REST */

static struct str cookie_value(const struct session *s, const char *name)
{
    for (int i = 0; i < s->cookies_n; i++)
        if (str_is(s->cookies[i].name, name))
            return s->cookies[i].value;
    return STR_NONE;
}

/* "Set-Cookie: name=value; …" of an answer; a name again replaces its value. */
static void take_cookies(struct session *s, struct str head)
{
    struct str line;

    while (str_split(&head, '\n', &line)) {
        size_t colon = str_find_c(line, ':'), equals;
        struct str pair, name;
        int i = 0;

        if (colon == STR_NPOS || !str_ieq(str_sub(line, 0, colon), "set-cookie"))
            continue;
        pair = str_trim(str_from(line, colon + 1));
        pair = str_sub(pair, 0, str_find_c(pair, ';'));
        equals = str_find_c(pair, '=');
        if (equals == STR_NPOS)
            continue;
        name = str_trim(str_sub(pair, 0, equals));
        while (i < s->cookies_n && !str_eq(s->cookies[i].name, name))
            i++;
        if (i == COOKIES_MAX)
            continue;
        s->cookies[i] = (struct cookie){ str_copy(s->mem, name),
                                         str_copy(s->mem, str_trim(str_from(pair, equals + 1))) };
        if (i == s->cookies_n)
            s->cookies_n++;
    }
}

static struct str cookie_header(const struct session *s)
{
    struct buf b = BUF(s->mem, 64 * 1024);

    for (int i = 0; i < s->cookies_n; i++)
        buf_addf(&b, "%s%.*s=%.*s", i ? "; " : "", STR(s->cookies[i].name), STR(s->cookies[i].value));
    return buf_str(&b);
}

/* Who we are, on every request. The token goes by a header: an address ends up in logs. */
static void add_identity(struct session *s, struct http_call *call)
{
    if (s->server->token.n)
        http_add_call_header(s->mem, call, "Authorization", str_f(s->mem, "token %.*s", STR(s->server->token)));
    if (s->cookies_n)
        http_add_call_header(s->mem, call, "Cookie", cookie_header(s));
    if (cookie_value(s, "_xsrf").n)
        http_add_call_header(s->mem, call, "X-XSRFToken", cookie_value(s, "_xsrf"));
}

static enum status ask(struct session *s, const char *method, struct str path, struct str body, const char *type,
                       struct http_call *call, struct error *err)
{
    *call = (struct http_call){ .method = method,
                                .url = str_cat(s->mem, s->base, path),
                                .body = body,
                                .timeout_ms = REST_MS,
                                .insecure = s->server->insecure,
                                .wants_head = true };
    if (type)
        http_add_call_header(s->mem, call, "Content-Type", str_of(type));
    add_identity(s, call);
    http_run(s->mem, call, 1);
    if (call->result != OK)
        return error_set(err, call->result, "the Jupyter server does not answer");
    if (call->status >= 400)
        return error_set(err, FAILED, "the Jupyter server answered with status %d", call->status);
    take_cookies(s, call->head);
    return OK;
}

/* Its login form, as a browser would fill it in. */
static enum status sign_in(struct session *s, struct error *err)
{
    struct buf form = BUF(s->mem, 64 * 1024);
    struct http_call call;
    enum status st;

    if (!s->server->password.n || s->server->token.n)
        return OK;
    st = ask(s, "GET", S("/login"), STR_NONE, NULL, &call, err);
    if (st != OK)
        return st;
    if (!cookie_value(s, "_xsrf").n)
        return error_set(err, FAILED, "_xsrf token not found");
    buf_add_c(&form, "_xsrf=");
    buf_add_urlencoded(&form, cookie_value(s, "_xsrf"));
    buf_add_c(&form, "&password=");
    buf_add_urlencoded(&form, s->server->password);
    return ask(s, "POST", S("/login"), buf_str(&form), "application/x-www-form-urlencoded", &call, err);
}

static enum status start_kernel(struct session *s, struct error *err)
{
    struct http_call call;
    struct str id;
    enum status st = ask(s, "POST", S("/api/kernels"), S("{}"), "application/json", &call, err);

    if (st != OK)
        return st;
    id = json_str(json_parse_or_null(s->mem, call.response), "id");
    if (!id.n || id.n > 128)
        return error_set(err, FAILED, "the Jupyter server started no kernel");
    s->kernel = id;
    return OK;
}

static struct str kernel_path(struct session *s, const char *more)
{
    struct buf b = BUF(s->mem, 1024);

    buf_add_c(&b, "/api/kernels/");
    buf_add_urlencoded(&b, s->kernel);
    buf_add_c(&b, more);
    return buf_str(&b);
}

static void end_kernel(struct session *s)
{
    struct error err = { "" };
    struct http_call call;

    if (s->kernel.n && ask(s, "DELETE", kernel_path(s, ""), STR_NONE, NULL, &call, &err) != OK)
        log_warning("a Jupyter kernel was not ended: %s", err.text);
}

/* ---- the run */

static struct str request_text(struct arena *mem, struct str id, struct str code)
{
    json_object *o = json_new_object(mem), *header = json_set_object(o, "header"), *content;

    json_set_str(header, "msg_id", id);
    json_set_c(header, "msg_type", "execute_request");
    json_set_c(header, "username", "user");
    json_set_str(header, "session", random_hex(mem, 16));
    json_set_c(header, "date", "");
    json_set_c(header, "version", "5.3");
    json_set_object(o, "parent_header");
    json_set_object(o, "metadata");
    content = json_set_object(o, "content");
    json_set_str(content, "code", code);
    json_set_bool(content, "silent", false);
    json_set_bool(content, "store_history", true);
    json_set_object(content, "user_expressions");
    json_set_bool(content, "allow_stdin", false);
    json_set_bool(content, "stop_on_error", true);
    json_set_c(o, "channel", "shell");
    return json_text(mem, o);
}

static void add_result(struct session *s, json_object *data)
{
    struct str png = json_str(data, "image/png"), text = json_str(data, "text/plain");

    if (!png.p && !text.p)
        return;
    if (s->result.n)
        buf_add_char(&s->result, '\n');
    if (png.p)
        buf_add_c(&s->result, "data:image/png;base64,");
    buf_add_str(&s->result, png.p ? str_trim(png) : text);
}

static void add_traceback(struct session *s, json_object *lines)
{
    JSON_EACH (lines, i, line) {
        if (i)
            buf_add_char(&s->err, '\n');
        buf_add_str(&s->err, json_str_value(line));
    }
}

/* false: that was the last message of the run. */
static bool take_message(struct session *s, struct str id, json_object *m)
{
    json_object *content = json_get(m, "content");
    struct str type = json_str(m, "msg_type");

    if (!str_eq(json_str(json_get(m, "parent_header"), "msg_id"), id))
        return true;
    if (!type.p)
        type = json_str(json_get(m, "header"), "msg_type");
    if (str_is(type, "stream"))
        buf_add_str(str_is(json_str(content, "name"), "stderr") ? &s->err : &s->out, json_str(content, "text"));
    else if (str_is(type, "execute_result") || str_is(type, "display_data"))
        add_result(s, json_get(content, "data"));
    else if (str_is(type, "error"))
        add_traceback(s, json_get(content, "traceback"));
    return !str_is(type, "status") || !str_is(json_str(content, "execution_state"), "idle");
}

static bool too_much(const struct session *s)
{
    return buf_failed(&s->out) || buf_failed(&s->err) || buf_failed(&s->result);
}

static enum status talk(struct session *s, struct ws_client *w, struct str code, struct error *err)
{
    int64_t until_ms = mono_ms() + 1000ll * (s->server->timeout_s > 0 ? s->server->timeout_s : TIMEOUT_S);
    struct str id = random_hex(s->mem, 16);
    enum status st = ws_send(w, request_text(s->mem, id, code), REST_MS, err);
    bool running = true;

    while (st == OK && running) {
        struct arena *mem = arena_new(16 * 1024);
        struct str text;

        st = ws_receive(w, until_ms, &text, err);
        if (st == OK)
            running = take_message(s, id, json_parse_or_null(mem, text));
        arena_free(mem);
        if (too_much(s))
            return error_set(err, TOO_BIG, "the output is larger than %d bytes", CODE_OUTPUT_MAX);
    }
    return st;
}

static enum status execute(struct session *s, struct str code, struct error *err)
{
    struct http_call identity = { .url = STR_NONE };
    struct ws_options options = { .url = str_cat(s->mem, s->base, kernel_path(s, "/channels")),
                                  .insecure = s->server->insecure,
                                  .timeout_ms = KERNEL_MS,
                                  .max_bytes = MESSAGE_MAX };
    struct ws_client *w = NULL;
    enum status st;

    add_identity(s, &identity);
    options.headers = identity.headers;
    options.headers_n = identity.headers_n;
    st = ws_open(s->mem, &options, &w, err);
    if (st == OK) {
        st = talk(s, w, code, err);
        if (st == TIMED_OUT) {
            buf_add_c(&s->err, "\nExecution timed out.");
            st = OK;
        }
    }
    ws_close(w);
    return st;
}

/* What fits the limit, as text. */
static struct str shown(const struct buf *b)
{
    return str_trim(buf_str(b));
}

void jupyter_run(struct arena *mem, const struct jupyter *server, struct str code, struct code_output *out)
{
    struct session s = { .mem = mem,
                         .server = server,
                         .base = server->url,
                         .out = BUF(mem, CODE_OUTPUT_MAX),
                         .err = BUF(mem, CODE_OUTPUT_MAX),
                         .result = BUF(mem, CODE_OUTPUT_MAX) };
    struct error err = { "" };
    enum status st;

    while (str_ends(s.base, "/"))
        s.base.n--;
    st = sign_in(&s, &err);
    if (st == OK)
        st = start_kernel(&s, &err);
    if (st == OK)
        st = execute(&s, code, &err);
    end_kernel(&s);
    *out = (struct code_output){ shown(&s.out), shown(&s.err), shown(&s.result) };
    if (st != OK) {
        log_warning("code was not run: %s", err.text);
        out->stderr_text = str_f(mem, "Error: %s", err.text);
    }
}
