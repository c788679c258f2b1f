/* document.c: changes in a chat's document, as text. */
#include "lib/chat/document.h"

enum status document_title(struct arena *mem, struct str document, struct str *title)
{
    json_object *v = NULL;
    struct str text;

    *title = S("New Chat");
    if (json_scan_member(document, "title", &text) != OK)
        return OK;
    v = json_parse_or_null(mem, text);
    if (!json_is(v, json_type_string))
        return INVALID;
    *title = json_str_value(v);
    return OK;
}

static struct str quoted(struct arena *mem, struct str s)
{
    struct buf b = BUF(mem, STR_NPOS);

    buf_add_json_string(&b, s);
    return buf_str(&b);
}

struct str document_with_title(struct arena *mem, struct str document, struct str title)
{
    return json_text_with(mem, document, "title", quoted(mem, title));
}

static struct str member(struct str object, const char *key)
{
    struct str v = S("{}");

    if (json_scan_member(object, key, &v) != OK || v.p[0] != '{')
        return S("{}");
    return v;
}

json_object *document_message(struct arena *mem, struct str document, struct str message_id)
{
    struct str v;

    if (json_scan_member(member(member(document, "history"), "messages"), str_c(mem, message_id), &v) != OK)
        return NULL;
    return json_parse_or_null(mem, v);
}

static struct str with_message(struct arena *mem, struct str document, struct str message_id, json_object *changes,
                               bool make_current)
{
    struct str history = member(document, "history"), messages = member(history, "messages"), was,
               content = json_str(changes, "content");
    const char *id = str_c(mem, message_id);

    if (str_find_c(content, '\0') != STR_NPOS)
        json_set_str(changes, "content", str_replace(mem, content, S("\0"), S("")));
    if (json_scan_member(messages, id, &was) == OK && was.p[0] == '{')
        messages = json_text_with(mem, messages, id, json_text_merged(mem, was, changes));
    else
        messages = json_text_with(mem, messages, id, json_text(mem, changes));
    history = json_text_with(mem, history, "messages", messages);
    if (make_current)
        history = json_text_with(mem, history, "currentId", quoted(mem, message_id));
    return json_text_with(mem, document, "history", history);
}

struct str document_with_message(struct arena *mem, struct str document, struct str message_id, json_object *changes)
{
    return with_message(mem, document, message_id, changes, true);
}

json_object *document_branch(struct arena *mem, struct str document, struct str message_id)
{
    json_object *reversed = json_new_array(mem), *branch = json_new_array(mem);
    struct str messages = member(member(document, "history"), "messages");
    size_t limit = messages.n / 2 + 1; /* more steps than members: a loop */

    while (message_id.n && json_length(reversed) < limit) {
        struct str text;
        json_object *m;

        if (json_scan_member(messages, str_c(mem, message_id), &text) != OK)
            break;
        m = json_parse_or_null(mem, text);
        if (!json_is(m, json_type_object))
            break;
        JSON_EACH (reversed, i, seen)
            if (str_eq(json_str(seen, "id"), message_id) && message_id.n)
                goto done;
        json_push(reversed, m);
        message_id = json_str(m, "parentId");
    }
done:
    for (size_t i = json_length(reversed); i > 0; i--)
        json_push(branch, json_at(reversed, i - 1));
    return branch;
}

bool document_has_messages(struct str document)
{
    struct str history, messages;

    return json_scan_member(document, "history", &history) == OK &&
           json_scan_member(history, "messages", &messages) == OK && messages.p[0] == '{';
}

/* data[name] and then what the message has under that name: the frontend shows the newest first. */
static json_object *collected(struct arena *mem, json_object *message, json_object *data, const char *name)
{
    json_object *all = json_new_array(mem);

    JSON_EACH (json_get(data, name), i, item)
        json_push(all, item);
    JSON_EACH (json_get(message, name), j, item)
        json_push(all, item);
    return all;
}

struct str document_with_event(struct arena *mem, struct str document, struct str message_id, struct str type,
                               json_object *data, bool *changed)
{
    json_object *message = document_message(mem, document, message_id), *changes = json_new_object(mem),
                *list = json_new_array(mem);

    *changed = true;
    if (str_is(type, "replace")) {
        json_set_str(changes, "content", json_str(data, "content").p ? json_str(data, "content") : S(""));
        return document_with_message(mem, document, message_id, changes);
    }
    if (message && str_is(type, "status")) {
        JSON_EACH (json_get(message, "statusHistory"), i, item)
            json_push(list, item);
        json_push(list, data);
        json_set(changes, "statusHistory", list);
        return with_message(mem, document, message_id, changes, false);
    }
    if (str_is(type, "status") && !document_has_messages(document))
        return json_text_with(mem, document, "history", member(document, "history"));
    if (message && str_is(type, "message")) {
        json_set_str(changes, "content", str_cat(mem, json_str(message, "content"), json_str(data, "content")));
        return document_with_message(mem, document, message_id, changes);
    }
    if (str_is(type, "files") || str_is(type, "embeds")) {
        const char *name = str_is(type, "files") ? "files" : "embeds";

        json_set(changes, name, collected(mem, message, data, name));
        return document_with_message(mem, document, message_id, changes);
    }
    if ((str_is(type, "source") || str_is(type, "citation")) && !json_get(data, "type")) {
        JSON_EACH (json_get(message, "sources"), i, item)
            json_push(list, item);
        json_push(list, data);
        json_set(changes, "sources", list);
        return document_with_message(mem, document, message_id, changes);
    }
    *changed = false;
    return document;
}
