/* import_openwebui.c: chats as Open WebUI exports them: the documents are taken over as they are. */
#include "lib/chat/document.h"
#include "lib/chat/import_internal.h"

/* JSON text without escaped NUL characters, which no database takes. */
static struct str without_nul(struct arena *mem, struct str json)
{
    struct buf b = BUF(mem, json.n + 1);

    if (str_find(json, S("\\u0000")) == STR_NPOS)
        return json;
    for (size_t i = 0; i < json.n; i++) {
        if (json.p[i] == '\\' && str_starts(str_from(json, i), "\\u0000")) {
            i += 5;
            continue;
        }
        buf_add_char(&b, json.p[i]);
        if (json.p[i] == '\\' && i + 1 < json.n)
            buf_add_char(&b, json.p[++i]);
    }
    return buf_str(&b);
}

static size_t count_messages(json_object *chat)
{
    json_object *messages = json_path(chat, "history.messages");

    return json_is(messages, json_type_object) ? (size_t)json_object_object_length(messages)
                                               : json_length(json_get(chat, "messages"));
}

enum status import_openwebui(struct arena *mem, json_object *item, struct imported *out, const char **why)
{
    json_object *chat = json_get(item, "chat"), *tags = json_path(item, "meta.tags"), *meta = json_new_object(mem);
    struct str title;

    if (!json_is(chat, json_type_object))
        chat = json_is(json_get(item, "history"), json_type_object)
                   ? item
                   : NULL; /* the document alone, as old exports have it */
    if (!chat) {
        *why = "not a chat of Open WebUI";
        return INVALID;
    }
    out->messages = count_messages(chat);
    out->document = without_nul(mem, json_text(mem, chat));
    if (!out->messages || document_title(mem, out->document, &title) != OK) {
        *why = "without messages";
        return INVALID;
    }
    out->title = import_clean(mem, chat != item && json_str(item, "title").n ? json_str(item, "title") : title);
    out->source_id = json_str(item, "id");
    out->created_s = import_time(json_get(item, "created_at"));
    out->updated_s = import_time(json_get(item, "updated_at"));
    if (!out->created_s)
        out->created_s = import_time(json_get(chat, "timestamp"));
    out->archived = json_flag(item, "archived", false);
    out->pinned = json_flag(item, "pinned", false);
    if (json_length(tags)) {
        json_set(meta, "tags", tags);
        out->tags = tags;
    }
    out->meta = without_nul(mem, json_text(mem, meta));
    out->lost[LOST_FOLDER] = json_str(item, "folder_id").n > 0;
    return OK;
}
