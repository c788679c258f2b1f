/* import_chatgpt.c: conversations.json of ChatGPT: a tree of nodes, of which some hold messages. */
#include "lib/chat/import_internal.h"

static const char unknown_model[] = "chatgpt";

struct reading {
    struct import_chat chat;
    const char *model; /* of the conversation */
};

static bool is_shown(json_object *message)
{
    struct str recipient = json_str(message, "recipient");
    json_object *metadata = json_get(message, "metadata");

    return !json_flag(metadata, "is_visually_hidden_from_conversation", false) &&
           !json_flag(metadata, "is_user_system_message", false) && (!recipient.n || str_is(recipient, "all"));
}

/* The text of the parts; what is no text is counted. */
static struct str text_of(struct reading *r, json_object *content)
{
    struct buf b = BUF(r->chat.mem, SIZE_MAX / 2);

    JSON_EACH (json_get(content, "parts"), i, part) {
        struct str text = json_is(part, json_type_string) ? json_str_value(part) : json_str(part, "text");

        if (json_is(part, json_type_object) && !text.n)
            r->chat.out->lost[LOST_PICTURES]++;
        if (text.n && b.n)
            buf_add_c(&b, "\n\n");
        buf_add_str(&b, text);
    }
    if (!b.n && str_is(json_str(content, "content_type"), "code"))
        buf_addf(&b, "```%.*s\n%.*s\n```",
                 STR(str_is(json_str(content, "language"), "unknown") ? S("") : json_str(content, "language")),
                 STR(json_str(content, "text")));
    return str_trim(buf_str(&b));
}

static void read_message(struct reading *r, struct str id, struct str parent, json_object *message)
{
    json_object *content = json_get(message, "content"), *metadata = json_get(message, "metadata");
    struct str role = json_str(json_get(message, "author"), "role"), type = json_str(content, "content_type"), text;
    struct str slug = json_str(metadata, "model_slug");

    if (str_is(role, "tool") || (!is_shown(message) && str_is(role, "assistant"))) {
        import_skip(&r->chat, id, parent, LOST_TOOLS);
        return;
    }
    if (!is_shown(message) || !(str_is(role, "user") || str_is(role, "assistant"))) {
        import_skip(&r->chat, id, parent, LOST_HIDDEN);
        return;
    }
    if (str_is(type, "thoughts") || str_is(type, "reasoning_recap")) {
        import_skip(&r->chat, id, parent, LOST_THOUGHTS);
        return;
    }
    r->chat.out->lost[LOST_ATTACHMENTS] += json_length(json_get(metadata, "attachments"));
    text = text_of(r, content);
    if (!text.n) {
        import_skip(&r->chat, id, parent, LOST_EMPTY);
        return;
    }
    import_message(&r->chat, id, parent,
                   str_is(role, "user") ? NULL
                   : slug.n             ? slug.p
                                        : r->model,
                   text, import_time(json_get(message, "create_time")));
}

enum status import_chatgpt(struct arena *mem, json_object *item, struct imported *out, const char **why)
{
    struct str slug = json_str(item, "default_model_slug");
    struct reading r = { .model = slug.n ? slug.p : unknown_model };
    json_object *mapping = json_get(item, "mapping");

    if (!json_is(mapping, json_type_object)) {
        *why = "not a conversation of ChatGPT";
        return INVALID;
    }
    out->source_id = json_str(item, "conversation_id");
    if (!out->source_id.n)
        out->source_id = json_str(item, "id");
    out->created_s = import_time(json_get(item, "create_time"));
    out->updated_s = import_time(json_get(item, "update_time"));
    out->archived = json_flag(item, "is_archived", false);
    import_begin(&r.chat, mem, out);
    json_object_object_foreach(mapping, key, node)
    {
        json_object *message = json_get(node, "message");

        if (message)
            read_message(&r, str_of(key), json_str(node, "parent"), message);
        else
            import_skip(&r.chat, str_of(key), json_str(node, "parent"), LOST_KINDS);
    }
    *why = "without messages";
    return import_finish(&r.chat, json_str(item, "title"), json_str(item, "current_node"));
}
