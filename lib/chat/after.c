/* after.c: an answer is saved, named and tagged. */
#include "lib/chat/after.h"

#include "lib/chat/document.h"
#include "lib/llm/messages.h"
#include "lib/store/chats.h"
#include "lib/store/tags.h"

void after_event(struct after *a, const char *type, json_object *data)
{
    json_object *e = json_new_object(a->mem);

    json_set_c(e, "type", type);
    if (data)
        json_set(e, "data", data);
    json_push(a->events, e);
}

void after_tell(struct after *a, const char *type, json_object *data)
{
    after_event(a, type, data);
    if (!a->kept)
        a->kept = json_new_array(a->mem);
    json_push(a->kept, json_at(a->events, json_length(a->events) - 1));
}

/* The chat inside a transaction; administrators may let a model answer in anybody's. */
static enum db_status begin(struct after *a, struct chat *c)
{
    if (a->is_local || a->chat_id.n == 0)
        return DB_DONE;
    if (db_begin(a->db) == DB_ERROR)
        return DB_ERROR;
    return chat_for_update(a->db, a->mem, a->chat_id, a->user->is_admin ? STR_NONE : a->user->id, c);
}

static enum db_status end(struct after *a, enum db_status st)
{
    if (st == DB_ROW && db_commit(a->db) != DB_ERROR)
        return DB_ROW;
    db_rollback(a->db);
    return st == DB_DONE ? DB_DONE : DB_ERROR;
}

struct saving {
    struct str message_id;
    json_object *changes;
};

static bool save_message(struct arena *mem, struct chat *c, void *arg)
{
    struct saving *saving = arg;

    c->document = document_with_message(mem, c->document, saving->message_id, saving->changes);
    if (document_title(mem, c->document, &c->title) != OK)
        c->title = S("New Chat");
    return true;
}

/* Administrators may let a model answer in anybody's chat. */
static enum db_status change(struct after *a, chat_change *fn, void *arg, struct chat *c)
{
    bool changed;

    if (a->is_local || a->chat_id.n == 0)
        return DB_DONE;
    return chat_change_document(a->db, a->mem, a->chat_id, a->user->is_admin ? STR_NONE : a->user->id, fn, arg, c,
                                &changed);
}

enum db_status after_save(struct after *a, json_object *changes, struct str *title)
{
    struct saving saving = { a->message_id, changes };
    struct chat c;
    enum db_status st = change(a, save_message, &saving, &c);

    if (st == DB_ROW && title)
        *title = c.title;
    return st;
}

struct keeping {
    struct str message_id;
    json_object *told, *changes;
};

static bool keep_told(struct arena *mem, struct chat *c, void *arg)
{
    struct keeping *k = arg;
    bool changed, any = false;

    JSON_EACH (k->told, i, event) {
        c->document = document_with_event(mem, c->document, k->message_id, json_str(event, "type"),
                                          json_get(event, "data"), &changed);
        any |= changed;
    }
    if (k->changes)
        c->document = document_with_message(mem, c->document, k->message_id, k->changes);
    if (document_title(mem, c->document, &c->title) != OK)
        c->title = S("New Chat");
    return any || k->changes;
}

enum db_status after_keep(struct after *a, json_object *changes)
{
    struct keeping k = { a->message_id, a->kept, changes };
    struct chat c;

    a->kept = NULL;
    return k.told || changes ? change(a, keep_told, &k, &c) : DB_DONE;
}

struct str after_plain_text(struct arena *mem, struct str text)
{
    struct buf b = BUF(mem, STR_NPOS);

    while (text.n) {
        size_t skip = 0, close;

        if (text.p[0] == '<' && text.n >= 8 && str_ieq(str_sub(text, 0, 8), "<details")) {
            for (close = 8; close + 10 <= text.n && !str_ieq(str_sub(text, close, 10), "</details>"); close++)
                ;
            skip = close + 10 <= text.n ? close + 10 : 0;
            if (!skip) { /* never closed: nor is any other behind it */
                buf_add_str(&b, text);
                break;
            }
        } else if (str_starts(text, "![")) {
            size_t bracket = str_find(text, S("](")), line = str_find_c(text, '\n');

            close = bracket == STR_NPOS || bracket > line ? STR_NPOS : str_find_c(str_from(text, bracket), ')');
            skip = close == STR_NPOS || bracket + close > line ? 0 : bracket + close + 1;
        }
        if (!skip)
            buf_add_char(&b, text.p[0]);
        text = str_from(text, skip ? skip : 1);
    }
    return str_trim(buf_str(&b));
}

enum db_status after_messages(struct after *a, json_object **messages)
{
    struct chat c;
    enum db_status st;

    *messages = NULL;
    if (a->is_local)
        return DB_DONE;
    st = a->user->is_admin ? chat_by_id(a->db, a->mem, a->chat_id, &c)
                           : chat_of_user(a->db, a->mem, a->chat_id, a->user->id, &c);
    if (st != DB_ROW)
        return st;
    *messages = document_branch(a->mem, c.document, a->message_id);
    if (json_length(*messages) == 0)
        *messages = NULL;
    JSON_EACH (*messages, i, m) {
        if (!json_str(m, "role").p)
            json_set_c(m, "role", "assistant");
        json_set_str(m, "content", after_plain_text(a->mem, message_text(m)));
    }
    return *messages ? DB_ROW : DB_DONE;
}

/* From the first "{" to the last "}", as JSON; NULL: none. */
static json_object *json_in(struct arena *mem, struct str text)
{
    size_t open = str_find_c(text, '{'), close = str_rfind_c(text, '}');

    return open == STR_NPOS || close == STR_NPOS || close < open
               ? NULL
               : json_parse_or_null(mem, str_sub(text, open, close - open + 1));
}

enum db_status after_follow_ups(struct after *a, struct str text)
{
    json_object *list = json_get(json_in(a->mem, text), "follow_ups"), *changes = json_new_object(a->mem);
    enum db_status st;

    if (!json_is(list, json_type_array))
        return DB_DONE;
    json_set(changes, "followUps", list);
    st = after_save(a, changes, NULL);
    if (st == DB_ROW) {
        json_object *data = json_new_object(a->mem);

        json_set(data, "follow_ups", list);
        after_event(a, "chat:message:follow_ups", data);
    }
    return st;
}

static bool rename_chat(struct arena *mem, struct chat *c, void *title)
{
    c->title = *(struct str *)title;
    c->document = document_with_title(mem, c->document, c->title);
    return true;
}

enum db_status after_set_title(struct after *a, struct str title)
{
    struct chat c;
    enum db_status st = change(a, rename_chat, &title, &c);

    if (st == DB_ROW)
        after_event(a, "chat:title", json_new_str(a->mem, title));
    return st;
}

enum db_status after_title(struct after *a, struct str text)
{
    json_object *answer = json_in(a->mem, text), *messages;
    struct str title = json_str(answer, "title");
    enum db_status st;

    if (title.n == 0) { /* no title in it: what the user asked first, or last */
        st = after_messages(a, &messages);
        if (st != DB_ROW)
            return st;
        title = message_text(json_at(messages, 0));
        if (json_is(answer, json_type_object) && !json_has(answer, "title")) {
            title = message_text(messages_last_user(messages));
            if (str_utf8_length(title) > 100)
                title = str_cat(a->mem, str_utf8_first(title, 100), S("..."));
        }
    }
    return title.n ? after_set_title(a, title) : DB_DONE;
}

/* The chat's tags become those of the list; names that no open chat carries any more are dropped. */
static enum db_status replace_tags(struct after *a, const struct chat *c, json_object *names)
{
    json_object *old = json_get(json_parse_or_null(a->mem, c->meta), "tags"), *ids = json_new_array(a->mem);

    JSON_EACH (names, i, name) {
        struct str id = tag_id_of(a->mem, json_str_value(name));
        bool there = id.n == 0 || str_is(id, "none");

        JSON_EACH (ids, j, known)
            there |= str_eq(json_str_value(known), id);
        if (there)
            continue;
        json_push_str(ids, id);
        if (tag_ensure(a->db, a->mem, json_str_value(name), c->user_id) == DB_ERROR)
            return DB_ERROR;
    }
    if (chat_set_meta(a->db, c->id, json_text_with(a->mem, c->meta, "tags", json_text(a->mem, ids))) == DB_ERROR)
        return DB_ERROR;
    JSON_EACH (old, k, tag) {
        int64_t n = 1;

        if (chat_count_with_tag(a->db, a->mem, c->user_id, json_str_value(tag), &n) == DB_ERROR ||
            (n == 0 && tag_delete(a->db, json_str_value(tag), c->user_id) == DB_ERROR))
            return DB_ERROR;
    }
    return DB_ROW;
}

enum db_status after_tags(struct after *a, struct str text)
{
    json_object *names = json_get(json_in(a->mem, text), "tags");
    struct chat c;
    enum db_status st;

    if (!json_is(names, json_type_array))
        return DB_DONE;
    st = begin(a, &c);
    if (st != DB_ROW)
        return a->is_local ? DB_DONE : end(a, st);
    st = end(a, replace_tags(a, &c, names));
    if (st == DB_ROW)
        after_event(a, "chat:tags", names);
    return st;
}
