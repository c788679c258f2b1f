/* chat_reply.c: chats, lines of lists and tags as JSON. */
#include "handlers/chat_reply.h"

static void add_nullable(struct buf *b, struct str s)
{
    if (s.p)
        buf_add_json_string(b, s);
    else
        buf_add_c(b, "null");
}

static void add_head(struct buf *b, const struct chat *c)
{
    buf_add_c(b, "{\"id\":");
    buf_add_json_string(b, c->id);
    buf_add_c(b, ",\"user_id\":");
    buf_add_json_string(b, c->user_id);
    buf_add_c(b, ",\"title\":");
    buf_add_json_string(b, c->title);
    buf_add_c(b, ",\"chat\":");
}

static void add_tail(struct buf *b, const struct chat *c)
{
    buf_addf(b, ",\"updated_at\":%lld,\"created_at\":%lld,\"share_id\":", (long long)c->updated_at,
             (long long)c->created_at);
    add_nullable(b, c->share_id);
    buf_addf(b, ",\"archived\":%s,\"pinned\":%s,\"meta\":", c->archived ? "true" : "false",
             c->pinned_is_null ? "null"
             : c->pinned       ? "true"
                               : "false");
    buf_add_str(b, c->meta);
    buf_add_c(b, ",\"folder_id\":");
    add_nullable(b, c->folder_id);
    buf_add_char(b, '}');
}

void chat_add_json(struct buf *b, const struct chat *c)
{
    add_head(b, c);
    buf_add_str(b, c->document);
    add_tail(b, c);
}

int reply_chat(struct response *out, const struct chat *c)
{
    struct buf head = BUF(out->mem, STR_NPOS), tail = BUF(out->mem, STR_NPOS);
    int status = reply_pieces(out, 200, "application/json");

    add_head(&head, c);
    add_tail(&tail, c);
    response_add(out, buf_str(&head));
    response_add(out, c->document);
    response_add(out, buf_str(&tail));
    return status;
}

int reply_chat_titles(struct response *out, const struct chat_titles *titles)
{
    struct buf b = BUF(out->mem, STR_NPOS);

    buf_reserve(&b, titles->n * 160 + 2);
    buf_add_char(&b, '[');
    for (size_t i = 0; i < titles->n; i++) {
        const struct chat_title *t = &titles->v[i];

        buf_add_c(&b, i ? ",{\"id\":" : "{\"id\":");
        buf_add_json_string(&b, t->id);
        buf_add_c(&b, ",\"title\":");
        buf_add_json_string(&b, t->title);
        buf_addf(&b, ",\"updated_at\":%lld,\"created_at\":%lld}", (long long)t->updated_at, (long long)t->created_at);
    }
    buf_add_char(&b, ']');
    return reply_json_text(out, buf_str(&b));
}

int reply_tags(struct response *out, const struct tags *tags)
{
    json_object *list = json_new_array(out->mem);

    for (size_t i = 0; i < tags->n; i++) {
        json_object *t = json_new_object(out->mem);

        json_set_str(t, "id", tags->v[i].id);
        json_set_str(t, "name", tags->v[i].name);
        json_set_str(t, "user_id", tags->v[i].user_id);
        json_set_raw(t, "meta", tags->v[i].meta);
        json_push(list, t);
    }
    return reply_json(out, list);
}

struct str chat_tag_ids(struct arena *mem, const struct chat *c)
{
    json_object *tags = json_get(json_parse_or_null(mem, c->meta), "tags"), *ids = json_new_array(mem);

    JSON_EACH (tags, i, tag)
        if (json_is(tag, json_type_string))
            json_push(ids, tag);
    return json_text(mem, ids);
}
