/* chats.c: one chat: create, read, change, share, clone, archive, delete. Lists are in chat_lists.c, tags in chat_tags.c. */
#include "handlers/chat_reply.h"
#include "handlers/routes.h"
#include "lib/auth/auth.h"
#include "lib/base/clock.h"
#include "lib/base/random.h"
#include "lib/chat/document.h"
#include "lib/chat/events.h"
#include "lib/search/chat_index.h"

/* After a change: commits and answers with the chat as it is now. */
static int commit_and_reply(struct request *r, struct response *out, struct str id)
{
    struct chat c;
    enum db_status st = chat_by_id(r->db, r->mem, id, &c);

    if (st == DB_ROW)
        st = db_commit(r->db) == DB_ERROR ? DB_ERROR : DB_ROW;
    if (st != DB_ROW) {
        db_rollback(r->db);
        return st == DB_ERROR ? fail_db(out, r->db) : fail(out, 404, NOT_FOUND_TEXT);
    }
    return reply_chat(out, &c);
}

static int abandon(struct request *r, struct response *out, enum db_status st, const char *if_missing)
{
    int status = st == DB_ERROR ? fail_db(out, r->db) : fail(out, 401, "%s", if_missing);

    db_rollback(r->db);
    return status;
}

static bool may(struct request *r, const char *permission)
{
    return r->user->is_admin || auth_permission(r->mem, r->db, r->config, r->user, permission);
}

/* ---- making */

/* A new row of the caller's with the document and its title. INVALID: the title is no string. */
static enum status new_chat(struct request *r, struct str document, struct chat *c)
{
    *c = (struct chat){ .id = random_uuid(r->mem),
                        .user_id = r->user->id,
                        .document = document,
                        .meta = S("{}"),
                        .created_at = now_s(),
                        .updated_at = now_s() };
    return document_title(r->mem, document, &c->title);
}

static int create_chat(struct request *r, struct response *out)
{
    struct chat c;

    if (new_chat(r, json_text(r->mem, form_json(r, "chat")), &c) != OK)
        return fail(out, 400, WENT_WRONG);
    c.folder_id = form_str(r, "folder_id");
    if (chat_insert(r->db, &c) == DB_ERROR)
        return fail_db(out, r->db);
    return reply_chat(out, &c);
}

/* The names of tags that an imported chat carries: "deep_sea" → "Deep Sea". */
static enum db_status import_tags(struct request *r, json_object *tags)
{
    JSON_EACH (tags, i, tag) {
        struct str id = tag_id_of(r->mem, json_str_value(tag)), name = str_replace(r->mem, id, S("_"), S(" "));
        bool first = true;

        if (id.n == 0 || str_is(id, "none"))
            continue;
        name = str_copy(r->mem, name);
        for (size_t k = 0; k < name.n; k++) {
            char *ch = (char *)name.p + k;

            if (first && *ch >= 'a' && *ch <= 'z')
                *ch = (char)(*ch - 'a' + 'A');
            first = *ch == ' ';
        }
        if (tag_ensure(r->db, r->mem, name, r->user->id) == DB_ERROR)
            return DB_ERROR;
    }
    return DB_DONE;
}

static int import_chat(struct request *r, struct response *out)
{
    json_object *meta = form_json(r, "meta");
    struct chat c;

    if (new_chat(r, json_text(r->mem, form_json(r, "chat")), &c) != OK || (form_has(r, "meta") && !meta))
        return fail(out, 400, WENT_WRONG);
    c.meta = meta ? json_text(r->mem, meta) : S("{}");
    c.folder_id = form_str(r, "folder_id");
    c.pinned = form_bool(r, "pinned", false);
    if (form_int(r, "created_at", 0))
        c.created_at = form_int(r, "created_at", 0);
    if (form_int(r, "updated_at", 0))
        c.updated_at = form_int(r, "updated_at", 0);
    if (db_begin(r->db) == DB_ERROR || chat_insert(r->db, &c) == DB_ERROR ||
        import_tags(r, json_get(meta, "tags")) == DB_ERROR || db_commit(r->db) == DB_ERROR)
        return abandon(r, out, DB_ERROR, "");
    if (form_int(r, "updated_at", 0)) /* as of long ago: the index would not look there again */
        chat_index_forget(config_data_dir(r->config), r->user->id);
    return reply_chat(out, &c);
}

static int clone_of(struct request *r, struct response *out, const struct chat *from, struct str title)
{
    json_object *changes = json_new_object(r->mem);
    struct str history = S("{}"), current = S("null");
    struct chat c;

    if (json_scan_member(from->document, "history", &history) == OK)
        json_scan_member(history, "currentId", &current);
    json_set_str(changes, "originalChatId", from->id);
    json_set_raw(changes, "branchPointMessageId", current);
    json_set_str(changes, "title", title.n ? title : str_f(r->mem, "Clone of %.*s", STR(from->title)));
    if (new_chat(r, json_text_merged(r->mem, from->document, changes), &c) != OK)
        return fail(out, 400, WENT_WRONG);
    c.meta = from->meta;
    c.pinned = from->pinned;
    c.pinned_is_null = from->pinned_is_null;
    c.folder_id = from->folder_id;
    if (chat_insert(r->db, &c) == DB_ERROR)
        return fail_db(out, r->db);
    return reply_chat(out, &c);
}

static int clone_chat(struct request *r, struct response *out)
{
    struct chat c;
    enum db_status st = chat_of_user(r->db, r->mem, path_arg(r, "id"), r->user->id, &c);

    if (st != DB_ROW)
        return st == DB_ERROR ? fail_db(out, r->db) : fail(out, 401, WENT_WRONG);
    return clone_of(r, out, &c, form_str(r, "title"));
}

static int clone_shared_chat(struct request *r, struct response *out)
{
    struct str id = path_arg(r, "id");
    struct chat c;
    enum db_status st = r->user->is_admin ? chat_by_id(r->db, r->mem, id, &c) : chat_by_share_id(r->db, r->mem, id, &c);

    if (st != DB_ROW)
        return st == DB_ERROR ? fail_db(out, r->db) : fail(out, 401, WENT_WRONG);
    return clone_of(r, out, &c, STR_NONE);
}

/* ---- reading */

static int get_chat(struct request *r, struct response *out)
{
    struct chat c;

    switch (chat_of_user(r->db, r->mem, path_arg(r, "id"), r->user->id, &c)) {
    case DB_ROW: return reply_chat(out, &c);
    case DB_DONE: return fail(out, 401, NOT_FOUND_TEXT);
    default: return fail_db(out, r->db);
    }
}

static int get_shared_chat(struct request *r, struct response *out)
{
    struct str id = path_arg(r, "share_id");
    bool any = r->user->is_admin && config_bool(r->config, CFG_ENABLE_ADMIN_CHAT_ACCESS);
    struct chat c;

    switch (any ? chat_by_id(r->db, r->mem, id, &c) : chat_by_share_id(r->db, r->mem, id, &c)) {
    case DB_ROW: return reply_chat(out, &c);
    case DB_DONE: return fail(out, 401, NOT_FOUND_TEXT);
    default: return fail_db(out, r->db);
    }
}

static int get_pinned(struct request *r, struct response *out)
{
    struct chat c;

    switch (chat_row_of_user(r->db, r->mem, path_arg(r, "id"), r->user->id, &c)) {
    case DB_ROW: return c.pinned_is_null ? reply_null(out) : reply_bool(out, c.pinned);
    case DB_DONE: return fail(out, 401, WENT_WRONG);
    default: return fail_db(out, r->db);
    }
}

/* ---- changing */

/* 401 with that detail when there is no such chat. */
static int fail_change(struct request *r, struct response *out, enum db_status st)
{
    return st == DB_ERROR ? fail_db(out, r->db) : fail(out, 401, PROHIBITED_TEXT);
}

static bool merge_form(struct arena *mem, struct chat *c, void *form)
{
    c->document = json_text_merged(mem, c->document, form);
    return document_title(mem, c->document, &c->title) == OK;
}

static int update_chat(struct request *r, struct response *out)
{
    struct chat c;
    bool changed;
    enum db_status st = chat_change_document(r->db, r->mem, path_arg(r, "id"), r->user->id, merge_form,
                                             form_json(r, "chat"), &c, &changed);

    if (st != DB_ROW)
        return fail_change(r, out, st);
    return changed ? reply_chat(out, &c) : fail(out, 400, WENT_WRONG);
}

/* Messages are changed by the chat's owner, or an administrator. */
static struct str owner_of_message(const struct request *r)
{
    return r->user->is_admin ? STR_NONE : r->user->id;
}

struct message_change {
    struct str message_id, type;
    json_object *data;
    bool is_nowhere; /* there is no history to put it into */
};

static bool change_message(struct arena *mem, struct chat *c, void *arg)
{
    struct message_change *m = arg;

    c->document = document_with_message(mem, c->document, m->message_id, m->data);
    return true;
}

static int update_message(struct request *r, struct response *out)
{
    struct message_change m = { .message_id = path_arg(r, "message_id"), .data = json_new_object(r->mem) };
    struct chat c;
    bool changed;
    enum db_status st;

    json_set_str(m.data, "content", form_str(r, "content"));
    st = chat_change_document(r->db, r->mem, path_arg(r, "id"), owner_of_message(r), change_message, &m, &c, &changed);
    if (st != DB_ROW)
        return fail_change(r, out, st);
    json_set_str(m.data, "chat_id", c.id);
    json_set_str(m.data, "message_id", m.message_id);
    chat_event(r->mem, r->config, r->user->id, c.id, m.message_id, "chat:message", m.data);
    return reply_chat(out, &c);
}

static bool apply_event(struct arena *mem, struct chat *c, void *arg)
{
    struct message_change *m = arg;
    bool had_messages = document_has_messages(c->document), changed;

    c->document = document_with_event(mem, c->document, m->message_id, m->type, m->data, &changed);
    m->is_nowhere = changed && !had_messages && !str_is(m->type, "status"); /* a status makes the place */
    return changed && !m->is_nowhere;
}

static int send_message_event(struct request *r, struct response *out)
{
    struct message_change m = { .message_id = path_arg(r, "message_id"),
                                .type = form_str(r, "type"),
                                .data = form_json(r, "data") };
    struct chat c;
    bool changed;
    enum db_status st = chat_change_document(r->db, r->mem, path_arg(r, "id"), owner_of_message(r), apply_event, &m, &c,
                                             &changed);

    if (st != DB_ROW)
        return fail_change(r, out, st);
    if (m.is_nowhere)
        return reply_bool(out, false);
    chat_event(r->mem, r->config, r->user->id, c.id, m.message_id, str_c(r->mem, m.type), m.data);
    return reply_bool(out, true);
}

static int pin_chat(struct request *r, struct response *out)
{
    struct chat c;
    enum db_status st = db_begin(r->db);

    if (st != DB_ERROR)
        st = chat_row_of_user(r->db, r->mem, path_arg(r, "id"), r->user->id, &c);
    if (st == DB_ROW && chat_toggle_pinned(r->db, c.id, now_s()) == DB_ERROR)
        st = DB_ERROR;
    return st == DB_ROW ? commit_and_reply(r, out, c.id) : abandon(r, out, st, WENT_WRONG);
}

/* Tags that no open chat of the user carries (any more) are dropped; those of a chat that comes back are made again. */
static enum db_status tags_follow(struct request *r, struct str user_id, json_object *tags, bool chat_is_back)
{
    JSON_EACH (tags, i, tag) {
        struct str id = tag_id_of(r->mem, json_str_value(tag));
        int64_t n = 0;

        if (id.n == 0)
            continue;
        if (chat_is_back) {
            if (tag_ensure(r->db, r->mem, json_str_value(tag), user_id) == DB_ERROR)
                return DB_ERROR;
        } else if (chat_count_with_tag(r->db, r->mem, user_id, id, &n) == DB_ERROR ||
                   (n == 0 && tag_delete(r->db, id, user_id) == DB_ERROR)) {
            return DB_ERROR;
        }
    }
    return DB_DONE;
}

static json_object *tags_of(struct request *r, const struct chat *c)
{
    return json_get(json_parse_or_null(r->mem, c->meta), "tags");
}

static int archive_chat(struct request *r, struct response *out)
{
    struct chat c;
    enum db_status st = db_begin(r->db);

    if (st != DB_ERROR)
        st = chat_row_of_user(r->db, r->mem, path_arg(r, "id"), r->user->id, &c);
    if (st == DB_ROW && (chat_toggle_archived(r->db, c.id, now_s()) == DB_ERROR ||
                         tags_follow(r, r->user->id, tags_of(r, &c), c.archived) == DB_ERROR))
        st = DB_ERROR;
    return st == DB_ROW ? commit_and_reply(r, out, c.id) : abandon(r, out, st, WENT_WRONG);
}

static int move_chat(struct request *r, struct response *out)
{
    struct chat c;
    enum db_status st = db_begin(r->db);

    if (st != DB_ERROR)
        st = chat_row_of_user(r->db, r->mem, path_arg(r, "id"), r->user->id, &c);
    if (st == DB_ROW && chat_set_folder(r->db, c.id, form_str(r, "folder_id"), now_s()) == DB_ERROR)
        st = DB_ERROR;
    return st == DB_ROW ? commit_and_reply(r, out, c.id) : abandon(r, out, st, WENT_WRONG);
}

/* ---- sharing */

/* The shared copy as it should be now; made where there is none. */
static enum db_status write_shared_copy(struct request *r, const struct chat *c, struct str *copy_id)
{
    struct chat copy = *c, old;
    enum db_status st = chat_shared_copy(r->db, r->mem, c->id, &old);

    if (st == DB_ROW) {
        *copy_id = old.id;
        return chat_shared_copy_update(r->db, c->id, c, now_s());
    }
    if (st == DB_ERROR)
        return st;
    copy.id = *copy_id = random_uuid(r->mem);
    copy.user_id = str_f(r->mem, "shared-%.*s", STR(c->id));
    copy.share_id = STR_NONE;
    copy.archived = false;
    copy.updated_at = now_s();
    if (chat_insert(r->db, &copy) == DB_ERROR)
        return DB_ERROR;
    return chat_set_share_id(r->db, c->id, copy.id);
}

static int share_chat(struct request *r, struct response *out)
{
    struct str copy_id = STR_NONE;
    struct chat c;
    enum db_status st;

    if (!may(r, "chat.share"))
        return fail(out, 401, PROHIBITED_TEXT);
    st = db_begin(r->db);
    if (st != DB_ERROR)
        st = chat_for_update(r->db, r->mem, path_arg(r, "id"), r->user->id, &c);
    if (st == DB_ROW && write_shared_copy(r, &c, &copy_id) == DB_ERROR)
        st = DB_ERROR;
    return st == DB_ROW ? commit_and_reply(r, out, copy_id) : abandon(r, out, st, PROHIBITED_TEXT);
}

static int unshare_chat(struct request *r, struct response *out)
{
    struct chat c;
    enum db_status st = db_begin(r->db);

    if (st != DB_ERROR)
        st = chat_row_of_user(r->db, r->mem, path_arg(r, "id"), r->user->id, &c);
    if (st == DB_ROW && c.share_id.n &&
        (chat_shared_copy_delete(r->db, c.id) == DB_ERROR || chat_set_share_id(r->db, c.id, STR_NONE) == DB_ERROR))
        st = DB_ERROR;
    if (st == DB_ROW && db_commit(r->db) == DB_ERROR)
        st = DB_ERROR;
    return st == DB_ROW ? reply_bool(out, c.share_id.n > 0) : abandon(r, out, st, PROHIBITED_TEXT);
}

/* ---- deleting */

static int delete_chat(struct request *r, struct response *out)
{
    struct chat c;
    enum db_status st;

    if (!may(r, "chat.delete"))
        return fail(out, 401, PROHIBITED_TEXT);
    st = chat_row_by_id(r->db, r->mem, path_arg(r, "id"), &c);
    if (st != DB_ROW)
        return st == DB_ERROR ? fail_db(out, r->db) : fail(out, 404, NOT_FOUND_TEXT);
    if (!r->user->is_admin && !str_eq(c.user_id, r->user->id))
        return reply_bool(out, true); /* as the Python backend answers; nothing is deleted */
    if (db_begin(r->db) == DB_ERROR || chat_delete(r->db, c.id, STR_NONE) == DB_ERROR ||
        tags_follow(r, c.user_id, tags_of(r, &c), false) == DB_ERROR || db_commit(r->db) == DB_ERROR)
        return abandon(r, out, DB_ERROR, "");
    return reply_bool(out, true);
}

static int delete_all_chats(struct request *r, struct response *out)
{
    if (!may(r, "chat.delete"))
        return fail(out, 401, PROHIBITED_TEXT);
    if (db_begin(r->db) == DB_ERROR || chats_delete_of_user(r->db, r->user->id) == DB_ERROR ||
        db_commit(r->db) == DB_ERROR)
        return abandon(r, out, DB_ERROR, "");
    chat_index_forget(config_data_dir(r->config), r->user->id);
    return reply_bool(out, true);
}

static int archive_all(struct request *r, struct response *out)
{
    return chats_set_archived(r->db, r->user->id, true) == DB_ERROR ? fail_db(out, r->db) : reply_bool(out, true);
}

static int unarchive_all(struct request *r, struct response *out)
{
    return chats_set_archived(r->db, r->user->id, false) == DB_ERROR ? fail_db(out, r->db) : reply_bool(out, true);
}

/* ---- routes */

static const struct field chat_form[] = { FIELD(OBJECT, "chat", REQUIRED), FIELD(STRING, "folder_id", OPTIONAL), END };

static const struct field import_form[] = { FIELD(OBJECT, "chat", REQUIRED),
                                            FIELD(STRING, "folder_id", OPTIONAL),
                                            FIELD(OBJECT, "meta", OPTIONAL, .def = "{}"),
                                            FIELD(BOOLEAN, "pinned", OPTIONAL, .def = "false"),
                                            FIELD(INTEGER, "created_at", OPTIONAL),
                                            FIELD(INTEGER, "updated_at", OPTIONAL),
                                            END };

static const struct field message_form[] = { FIELD(STRING, "content", REQUIRED), END };
static const struct field event_form[] = { FIELD(STRING, "type", REQUIRED), FIELD(OBJECT, "data", REQUIRED), END };
static const struct field clone_form[] = { FIELD(STRING, "title", OPTIONAL), END };
static const struct field folder_form[] = { FIELD(STRING, "folder_id", OPTIONAL), END };

const struct route chats_routes[] = {
    { POST, "/api/v1/chats/new", VERIFIED, create_chat, .form = chat_form, .about = "A new chat" },
    { POST, "/api/v1/chats/import", VERIFIED, import_chat, .form = import_form,
      .about = "A chat with its times, tags and pin" },
    { DELETE, "/api/v1/chats/", VERIFIED, delete_all_chats, .about = "Deletes all chats of the caller" },
    { POST, "/api/v1/chats/archive/all", VERIFIED, archive_all, .about = "Archives all chats of the caller" },
    { POST, "/api/v1/chats/unarchive/all", VERIFIED, unarchive_all,
      .about = "Takes all chats of the caller out of the archive" },
    { GET, "/api/v1/chats/share/{share_id}", VERIFIED, get_shared_chat, .about = "A chat that somebody shares" },
    { GET, "/api/v1/chats/{id}", VERIFIED, get_chat, .about = "One chat of the caller" },
    { POST, "/api/v1/chats/{id}", VERIFIED, update_chat, .form = chat_form,
      .about = "Changes members of a chat's document" },
    { DELETE, "/api/v1/chats/{id}", VERIFIED, delete_chat, .about = "Deletes a chat" },
    { POST, "/api/v1/chats/{id}/messages/{message_id}", VERIFIED, update_message, .form = message_form,
      .about = "Changes the text of a message" },
    { POST, "/api/v1/chats/{id}/messages/{message_id}/event", VERIFIED, send_message_event, .form = event_form,
      .about = "Sends an event for a message to the tabs of the caller" },
    { GET, "/api/v1/chats/{id}/pinned", VERIFIED, get_pinned, .about = "Whether a chat is pinned" },
    { POST, "/api/v1/chats/{id}/pin", VERIFIED, pin_chat, .about = "Pins a chat, or takes the pin off" },
    { POST, "/api/v1/chats/{id}/clone", VERIFIED, clone_chat, .form = clone_form, .about = "A copy of a chat" },
    { POST, "/api/v1/chats/{id}/clone/shared", VERIFIED, clone_shared_chat,
      .about = "A copy of a chat that somebody shares" },
    { POST, "/api/v1/chats/{id}/archive", VERIFIED, archive_chat, .about = "Archives a chat, or takes it out" },
    { POST, "/api/v1/chats/{id}/share", VERIFIED, share_chat, .about = "Shares a chat as it is now" },
    { DELETE, "/api/v1/chats/{id}/share", VERIFIED, unshare_chat, .about = "Ends the sharing of a chat" },
    { POST, "/api/v1/chats/{id}/folder", VERIFIED, move_chat, .form = folder_form,
      .about = "Moves a chat to a folder, or out of it" },
    END
};
