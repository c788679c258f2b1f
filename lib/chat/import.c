/* import.c: messages of any export become a chat's history. */
#include "lib/chat/import.h"

#include <time.h>

#include "lib/base/encode.h"
#include "lib/chat/import_internal.h"

const char *const import_lost_names[LOST_KINDS] = {
    [LOST_HIDDEN] = "messages that were hidden",
    [LOST_TOOLS] = "calls of tools and their results",
    [LOST_THOUGHTS] = "thoughts",
    [LOST_PICTURES] = "pictures and recordings",
    [LOST_ATTACHMENTS] = "attached files",
    [LOST_EMPTY] = "messages without text",
    [LOST_FOLDER] = "places in folders",
};

/* ---- texts and times */

struct str import_clean(struct arena *mem, struct str text)
{
    struct buf b = BUF(mem, SIZE_MAX / 2);

    if (str_find_c(text, '\0') == STR_NPOS)
        return text;
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i])
            buf_add_char(&b, text.p[i]);
    }
    return buf_str(&b);
}

static int64_t seconds_of(double v)
{
    if (!(v > 0) || v > 9e18)
        return 0;
    return (int64_t)(v > 1e17 ? v / 1e9 : v > 1e14 ? v / 1e6 : v > 1e11 ? v / 1e3 : v);
}

int64_t import_time(json_object *v)
{
    const char *text;
    struct tm tm = { 0 };

    if (json_is(v, json_type_int) || json_is(v, json_type_double))
        return seconds_of(json_object_get_double(v));
    text = json_str_value(v).p;
    if (!text || !strptime(text, "%Y-%m-%dT%H:%M:%S", &tm))
        return 0;
    return timegm(&tm); /* exports are in UTC */
}

/* ---- a chat */

void import_begin(struct import_chat *c, struct arena *mem, struct imported *out)
{
    *c = (struct import_chat){
        .mem = mem, .out = out, .messages = json_new_object(mem), .skipped = json_new_object(mem)
    };
}

void import_message(struct import_chat *c, struct str id, struct str parent, const char *model, struct str text,
                    int64_t at_s)
{
    json_object *m = json_new_object(c->mem);

    json_set_str(m, "id", id);
    json_set_str(m, "parentId", parent.n ? parent : STR_NONE);
    json_set_array(m, "childrenIds");
    json_set_c(m, "role", model ? "assistant" : "user");
    json_set_str(m, "content", import_clean(c->mem, text));
    if (model) {
        json_set_c(m, "model", model);
        json_set_bool(m, "done", true);
        if (!c->first_model)
            c->first_model = model;
    }
    json_set_int(m, "timestamp", at_s);
    json_set(c->messages, id.p, m);
}

void import_skip(struct import_chat *c, struct str id, struct str parent, enum import_lost why)
{
    if (id.n && !json_has(c->messages, id.p))
        json_set_str(c->skipped, id.p, parent.n ? parent : STR_NONE);
    if (why < LOST_KINDS)
        c->out->lost[why]++;
}

/* The nearest message at or before id that is kept; absent: none. What lies between is shortened, so that long chains are walked once. */
static struct str kept_from(struct import_chat *c, struct str id)
{
    struct str at = id, found, next;
    size_t steps = 0, most = (size_t)json_object_object_length(c->skipped) + 1;

    while (at.n && !json_has(c->messages, at.p) && steps++ < most)
        at = json_str(c->skipped, at.p);
    found = at.n && json_has(c->messages, at.p) ? str_copy(c->mem, at) : STR_NONE;
    for (at = id, steps = 0; at.n && json_has(c->skipped, at.p) && steps++ < most; at = next) {
        next = json_str(c->skipped, at.p);
        next = next.n ? str_copy(c->mem, next) : next;
        json_set_str(c->skipped, at.p, found);
    }
    return found;
}

/* A message among its own ancestors would hide them all: the loop is cut. Each message is walked over once: a mark says in which walk. */
static void cut_loops(struct import_chat *c)
{
    json_object *marks = json_new_object(c->mem);
    int64_t walk = 0;

    json_object_object_foreach(c->messages, key, first)
    {
        json_object *m = first, *before = NULL;
        const char *at = key;

        walk++;
        while (m && !json_has(marks, at)) {
            json_set_int(marks, at, walk);
            before = m;
            at = json_str(m, "parentId").p;
            m = at ? json_get(c->messages, at) : NULL;
        }
        if (m && before && json_int(marks, at, 0) == walk)
            json_set_null(before, "parentId");
    }
}

static void link_messages(struct import_chat *c)
{
    json_object_object_foreach(c->messages, key, m)
    {
        (void)key;
        json_set_str(m, "parentId", kept_from(c, json_str(m, "parentId")));
    }
    cut_loops(c);
    json_object_object_foreach(c->messages, id, child)
    {
        json_object *parent = json_get(c->messages, json_str(child, "parentId").p ? json_str(child, "parentId").p : "");

        if (parent)
            json_push_str(json_get(parent, "childrenIds"), str_of(id));
    }
}

static struct str last_message(struct import_chat *c)
{
    struct str last = STR_NONE;

    json_object_object_foreach(c->messages, key, m)
    {
        if (json_length(json_get(m, "childrenIds")) == 0)
            last = str_of(key);
    }
    return last;
}

/* The messages from the first to the current one, as the frontend keeps them beside the history. */
static json_object *branch(struct import_chat *c, struct str current)
{
    json_object *list = json_new_array(c->mem), *back = json_new_array(c->mem);
    size_t most = (size_t)json_object_object_length(c->messages);

    for (struct str at = current; at.n && json_length(back) < most;) {
        json_object *m = json_get(c->messages, at.p);

        json_push(back, m);
        at = json_str(m, "parentId");
    }
    for (size_t i = json_length(back); i-- > 0;)
        json_push(list, json_at(back, i));
    return list;
}

enum status import_finish(struct import_chat *c, struct str title, struct str current)
{
    json_object *o = json_new_object(c->mem), *history;

    c->out->messages = (size_t)json_object_object_length(c->messages);
    if (!c->out->messages)
        return INVALID;
    link_messages(c);
    current = kept_from(c, current);
    if (!current.n)
        current = last_message(c);
    c->out->title = import_clean(c->mem, str_trim(title));
    if (!c->out->title.n)
        c->out->title = S("New Chat");
    json_set_str(o, "title", c->out->title);
    json_push_str(json_set_array(o, "models"), str_of(c->first_model ? c->first_model : ""));
    history = json_set_object(o, "history");
    json_set(history, "messages", c->messages);
    json_set_str(history, "currentId", current);
    json_set(o, "messages", branch(c, current));
    json_set_int(o, "timestamp", c->out->created_s * 1000);
    c->out->document = json_text(c->mem, o);
    c->out->meta = S("{}");
    return OK;
}

/* ---- all kinds */

enum status import_convert(struct arena *mem, enum import_kind kind, json_object *item, struct imported *out,
                           const char **why)
{
    static enum status (*const readers[IMPORT_KINDS])(struct arena *, json_object *, struct imported *,
                                                      const char **) = { import_chatgpt, import_claude,
                                                                         import_openwebui };

    memset(out, 0, sizeof(*out));
    if (!json_is(item, json_type_object)) {
        *why = "not a conversation";
        return INVALID;
    }
    return readers[kind](mem, item, out, why);
}

struct str import_chat_id(struct arena *mem, struct str user_id, enum import_kind kind, struct str source_id,
                          struct str text)
{
    struct str hash = sha256_hex(mem, str_f(mem, "%.*s %d %.*s", STR(user_id), (int)kind,
                                            STR(source_id.n ? source_id : sha256_hex(mem, text))));

    /* A UUID of version 8 (RFC 9562, 5.8). */
    return str_f(mem, "%.8s-%.4s-8%.3s-a%.3s-%.12s", hash.p, hash.p + 8, hash.p + 13, hash.p + 17, hash.p + 20);
}
