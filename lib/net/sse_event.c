/* sse_event.c: whole events of a stream of server-sent events. */
#include "lib/net/sse_event.h"

enum { EVENT_BYTES = 64 * 1024 * 1024 };

/* The line at *at without its end, which may be LF, CR LF or CR. false: it has no end yet. */
static bool next_line(struct str text, size_t *at, struct str *line)
{
    size_t i = *at;

    while (i < text.n && text.p[i] != '\n' && text.p[i] != '\r')
        i++;
    if (i == text.n || (text.p[i] == '\r' && i + 1 == text.n)) /* an LF may follow */
        return false;
    *line = str_sub(text, *at, i - *at);
    *at = i + 1 + (text.p[i] == '\r' && text.p[i + 1] == '\n');
    return true;
}

static void add_data(struct arena *mem, struct sse_event *e, struct str value, struct buf *joined)
{
    if (!e->data.p) {
        e->data = value;
        return;
    }
    if (joined->n == 0) {
        *joined = BUF(mem, EVENT_BYTES);
        buf_add_str(joined, e->data);
    }
    buf_add_char(joined, '\n');
    buf_add_str(joined, value);
    e->data = buf_str(joined);
}

static void add_field(struct arena *mem, struct sse_event *e, struct str line, struct buf *joined)
{
    size_t colon = str_find_c(line, ':');
    struct str name = str_sub(line, 0, colon == STR_NPOS ? line.n : colon),
               value = str_from(line, colon == STR_NPOS ? line.n : colon + 1);

    if (str_starts(value, " "))
        value = str_from(value, 1);
    if (str_is(name, "data"))
        add_data(mem, e, value, joined);
    else if (str_is(name, "id") && str_find_c(value, '\0') == STR_NPOS)
        e->id = value;
    else if (str_is(name, "retry") && (!str_to_i64(value, &e->retry_ms) || e->retry_ms < 0))
        e->retry_ms = -1;
}

bool sse_event_next(struct arena *mem, struct str text, size_t *at, struct sse_event *out)
{
    struct sse_event e = { STR_NONE, STR_NONE, -1 };
    struct buf joined = BUF(mem, EVENT_BYTES);
    size_t here = *at;
    struct str line;
    bool any = false;

    while (next_line(text, &here, &line)) {
        if (line.n) {
            any = true;
            add_field(mem, &e, line, &joined);
        } else if (any) {
            *at = here;
            *out = e;
            return true;
        } else {
            *at = here; /* blank lines between events */
        }
    }
    return false;
}

static bool is_answer(json_object *message, int64_t id)
{
    return json_is(message, json_type_object) && !json_has(message, "method") && json_int(message, "id", -1) == id;
}

json_object *jsonrpc_answer(json_object *message, int64_t id)
{
    if (is_answer(message, id))
        return message;
    JSON_EACH (message, i, one)
        if (is_answer(one, id))
            return one;
    return NULL;
}

bool sse_has_answer(struct str text, size_t *at, int64_t id)
{
    struct arena *mem = arena_new(16 * 1024);
    struct sse_event e;
    bool found = false;

    while (!found && sse_event_next(mem, text, at, &e))
        found = e.data.n && jsonrpc_answer(json_parse_or_null(mem, e.data), id);
    arena_free(mem);
    return found;
}
