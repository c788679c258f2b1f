/* import_claude.c: conversations.json of Claude: a list of messages; newer exports say which one a message answers. */
#include "lib/chat/import_internal.h"

static const char model[] = "claude";

/* The text blocks of a message; the member "text" where there are none. */
static struct str text_of(struct import_chat *c, json_object *message)
{
    struct buf b = BUF(c->mem, SIZE_MAX / 2);
    json_object *blocks = json_get(message, "content");

    JSON_EACH (blocks, i, block) {
        struct str type = json_str(block, "type"), text = json_str(block, "text");

        if (str_is(type, "thinking"))
            c->out->lost[LOST_THOUGHTS]++;
        else if (str_is(type, "image"))
            c->out->lost[LOST_PICTURES]++;
        else if (!str_is(type, "text") && type.n)
            c->out->lost[LOST_TOOLS]++;
        if (!str_is(type, "text") || !text.n)
            continue;
        if (b.n)
            buf_add_c(&b, "\n\n");
        buf_add_str(&b, text);
    }
    if (!b.n)
        buf_add_str(&b, json_str(message, "text"));
    return str_trim(buf_str(&b));
}

static void read_message(struct import_chat *c, json_object *message, struct str before)
{
    struct str id = json_str(message, "uuid"), sender = json_str(message, "sender"), text;
    struct str parent = json_has(message, "parent_message_uuid") ? json_str(message, "parent_message_uuid") : before;

    c->out->lost[LOST_ATTACHMENTS] += json_length(json_get(message, "attachments")) +
                                      json_length(json_get(message, "files"));
    text = text_of(c, message);
    if (!str_is(sender, "human") && !str_is(sender, "assistant"))
        import_skip(c, id, parent, LOST_HIDDEN);
    else if (!text.n)
        import_skip(c, id, parent, LOST_EMPTY);
    else
        import_message(c, id, parent, str_is(sender, "human") ? NULL : model, text,
                       import_time(json_get(message, "created_at")));
}

enum status import_claude(struct arena *mem, json_object *item, struct imported *out, const char **why)
{
    json_object *messages = json_get(item, "chat_messages");
    struct str before = STR_NONE;
    struct import_chat c;

    if (!json_is(messages, json_type_array)) {
        *why = "not a conversation of Claude";
        return INVALID;
    }
    out->source_id = json_str(item, "uuid");
    out->created_s = import_time(json_get(item, "created_at"));
    out->updated_s = import_time(json_get(item, "updated_at"));
    import_begin(&c, mem, out);
    JSON_EACH (messages, i, message) {
        if (!json_is(message, json_type_object))
            continue;
        if (!json_str(message, "uuid").n)
            json_set_str(message, "uuid", str_f(mem, "message-%zu", i));
        read_message(&c, message, before);
        before = json_str(message, "uuid");
    }
    *why = "without messages";
    return import_finish(&c, json_str(item, "name"), json_str(item, "current_leaf_message_uuid"));
}
