/* chat_lists.c: lists of chats: pages, folders, pinned, archived, search, exports. */
#include "handlers/chat_reply.h"
#include "handlers/routes.h"
#include "lib/base/log.h"
#include "lib/net/control.h"
#include "lib/search/chat_index.h"
#include "lib/store/folders.h"

enum { PAGE = 60, INDEX_MS = 3600 * 1000 };

static int reply_list(struct request *r, struct response *out, enum db_status st, const struct chat_titles *titles)
{
    return st == DB_ERROR ? fail_db(out, r->db) : reply_chat_titles(out, titles);
}

/* Rows to skip before the page; pages count from 1. */
static int64_t page_skip(const struct request *r, int64_t otherwise)
{
    int64_t page = query_int(r, "page", otherwise);

    return page > 1 && page < INT32_MAX ? (page - 1) * PAGE : 0;
}

static int list_chats(struct request *r, struct response *out)
{
    bool paged = query_has(r, "page") && query_str(r, "page").n;
    struct chat_titles titles;

    return reply_list(r, out,
                      chat_titles_of_user(r->db, r->mem, r->user->id, query_bool(r, "include_folders", false),
                                          page_skip(r, 1), paged ? PAGE : 0, &titles),
                      &titles);
}

static int list_pinned(struct request *r, struct response *out)
{
    struct chat_titles titles;

    return reply_list(r, out, chat_titles_pinned(r->db, r->mem, r->user->id, &titles), &titles);
}

static int list_folder(struct request *r, struct response *out)
{
    struct chat_titles titles;
    enum db_status st = chat_titles_in_folder(r->db, r->mem, r->user->id, path_arg(r, "folder_id"), page_skip(r, 1),
                                              PAGE, &titles);
    json_object *list = json_new_array(r->mem);

    if (st == DB_ERROR)
        return fail_db(out, r->db);
    for (size_t i = 0; i < titles.n; i++) {
        json_object *t = json_new_object(r->mem);

        json_set_str(t, "title", titles.v[i].title);
        json_set_str(t, "id", titles.v[i].id);
        json_set_int(t, "updated_at", titles.v[i].updated_at);
        json_push(list, t);
    }
    return reply_json(out, list);
}

/* The archive of the caller, or an administrator's view of another's chats. */
static int filtered(struct request *r, struct response *out, struct str user_id, bool archived_only)
{
    struct str direction = query_str(r, "direction");
    struct chat_filter f = {
        .title_has = query_str(r, "query"), .archived_only = archived_only, .skip = page_skip(r, 1), .limit = PAGE
    };
    struct chat_titles titles;

    if (query_str(r, "order_by").n && direction.n) {
        f.order_by = query_str(r, "order_by");
        f.ascending = str_ieq(direction, "asc");
        if (!chat_order_known(f.order_by) || (!f.ascending && !str_ieq(direction, "desc")))
            return fail(out, 400, WENT_WRONG);
    }
    return reply_list(r, out, chat_titles_filtered(r->db, r->mem, user_id, &f, &titles), &titles);
}

static int list_archived(struct request *r, struct response *out)
{
    return filtered(r, out, r->user->id, true);
}

static int list_of_user(struct request *r, struct response *out)
{
    if (!config_bool(r->config, CFG_ENABLE_ADMIN_CHAT_ACCESS))
        return fail(out, 401, PROHIBITED_TEXT);
    return filtered(r, out, path_arg(r, "user_id"), false);
}

/* ---- search: words, and narrowings as tag:x folder:y pinned:true archived:true shared:true */

static int tristate(struct str value, int was)
{
    return str_is(value, "true") ? 1 : str_is(value, "false") && was != 1 ? 0 : was;
}

static enum db_status read_search(struct request *r, struct str text, struct chat_search *s)
{
    json_object *tags = json_new_array(r->mem), *folder_names = json_new_array(r->mem);
    struct buf words = BUF(r->mem, STR_NPOS);
    struct str rest = text, word;

    while (str_split(&rest, ' ', &word)) {
        size_t colon = str_find_c(word, ':');
        struct str value = str_from(word, colon == STR_NPOS ? word.n : colon + 1);

        if (str_starts(word, "tag:")) {
            json_push_str(tags, tag_id_of(r->mem, value));
            s->no_tags |= str_is(value, "none");
        } else if (str_starts(word, "folder:")) {
            json_push_str(folder_names, value);
        } else if (str_starts(word, "pinned:")) {
            s->pinned = tristate(value, s->pinned);
        } else if (str_starts(word, "archived:")) {
            s->archived = tristate(value, s->archived);
        } else if (str_starts(word, "shared:")) {
            s->shared = tristate(value, s->shared);
        } else {
            if (words.n)
                buf_add_char(&words, ' ');
            buf_add_str(&words, word);
        }
    }
    s->text = buf_str(&words);
    s->tag_ids = s->no_tags ? S("[]") : json_text(r->mem, tags);
    s->folder_ids = S("[]");
    return json_length(folder_names) ? folder_ids_by_names(r->db, r->mem, r->user->id, folder_names, &s->folder_ids)
                                     : DB_DONE;
}

/* A job of the workers; without a sidecar searches stay as slow as they are. */
static void index_later(struct request *r)
{
    json_object *state = json_new_object(r->mem);

    json_set_str(state, "user_id", r->user->id);
    control_job(r->mem, config_run_dir(r->config), "index_chats", r->user->id, state);
}

static int index_chats(struct request *r, struct response *out)
{
    struct str user_id = json_str(form_json(r, "state"), "user_id");
    bool finished = false;
    struct error err = { "" };

    if (chat_index_update(r->db, config_data_dir(r->config), user_id, INDEX_MS, &finished, &err) == FAILED)
        log_warning("%s", err.text);
    return reply_bool(out, finished);
}

static int search(struct request *r, struct response *out)
{
    struct str text = str_trim(str_lower(r->mem, str_replace(r->mem, query_str(r, "text"), S("\0"), S("")))),
               lone = str_trim(query_str(r, "text"));
    struct chat_search s = { .archived = -1, .pinned = -1, .shared = -1, .skip = page_skip(r, 1), .limit = PAGE };
    struct chat_titles titles;
    enum db_status st = read_search(r, text, &s);
    bool is_stale = false;

    if (st != DB_ERROR)
        st = chat_search(r->db, r->mem, config_data_dir(r->config), r->user->id, &s, &titles, &is_stale);
    if (is_stale)
        index_later(r);
    /* A tag that is asked for alone and that no chat carries is dropped. */
    if (st != DB_ERROR && titles.n == 0 && s.skip == 0 && str_starts(lone, "tag:") && str_find_c(lone, ' ') == STR_NPOS)
        st = tag_delete(r->db, tag_id_of(r->mem, str_from(lone, 4)), r->user->id);
    return reply_list(r, out, st, &titles);
}

/* ---- whole chats */

static void add_chat(const struct chat *c, void *arg)
{
    struct buf *b = arg;

    buf_add_char(b, b->n > 0 ? ',' : '[');
    chat_add_json(b, c);
}

static int reply_whole(struct request *r, struct response *out, enum db_status st, struct buf *b)
{
    if (st == DB_ERROR)
        return fail_db(out, r->db);
    buf_add_c(b, b->n > 0 ? "]" : "[]");
    return reply_json_text(out, buf_str(b));
}

static int all_chats(struct request *r, struct response *out)
{
    struct buf b = BUF(r->mem, STR_NPOS);

    return reply_whole(r, out, chats_each_of_user(r->db, r->mem, r->user->id, false, add_chat, &b), &b);
}

static int all_archived(struct request *r, struct response *out)
{
    struct buf b = BUF(r->mem, STR_NPOS);

    return reply_whole(r, out, chats_each_of_user(r->db, r->mem, r->user->id, true, add_chat, &b), &b);
}

static int all_in_database(struct request *r, struct response *out)
{
    struct buf b = BUF(r->mem, STR_NPOS);

    if (!config_bool(r->config, CFG_ENABLE_ADMIN_EXPORT))
        return fail(out, 401, PROHIBITED_TEXT);
    return reply_whole(r, out, chats_each(r->db, r->mem, add_chat, &b), &b);
}

static int all_in_folder(struct request *r, struct response *out)
{
    struct buf b = BUF(r->mem, STR_NPOS);
    struct str ids;
    enum db_status st = folder_ids_below(r->db, r->mem, path_arg(r, "folder_id"), r->user->id, &ids);

    if (st != DB_ERROR)
        st = chats_each_in_folders(r->db, r->mem, r->user->id, ids, add_chat, &b);
    return reply_whole(r, out, st, &b);
}

/* ---- routes */

static const struct field list_query[] = { FIELD(INTEGER, "page", OPTIONAL),
                                           FIELD(BOOLEAN, "include_folders", OPTIONAL, .def = "false"), END };
static const struct field page_query[] = { FIELD(INTEGER, "page", OPTIONAL, .def = "1"), END };
static const struct field search_query[] = { FIELD(STRING, "text", REQUIRED), FIELD(INTEGER, "page", OPTIONAL), END };
static const struct field filter_query[] = { FIELD(INTEGER, "page", OPTIONAL), FIELD(STRING, "query", OPTIONAL),
                                             FIELD(STRING, "order_by", OPTIONAL), FIELD(STRING, "direction", OPTIONAL),
                                             END };

const struct route chat_lists_routes[] = {
    { GET, "/api/v1/chats/", VERIFIED, list_chats, .query = list_query,
      .about = "Chats of the caller, newest change first" },
    { GET, "/api/v1/chats/list", VERIFIED, list_chats, .query = list_query,
      .about = "Chats of the caller, newest change first" },
    { GET, "/api/v1/chats/list/user/{user_id}", ADMIN, list_of_user, .query = filter_query,
      .about = "Chats of another user" },
    { GET, "/api/v1/chats/search", VERIFIED, search, .query = search_query,
      .about = "Chats of the caller that hold a text" },
    { GET, "/api/v1/chats/folder/{folder_id}", VERIFIED, all_in_folder,
      .about = "Whole chats in a folder and below it" },
    { GET, "/api/v1/chats/folder/{folder_id}/list", VERIFIED, list_folder, .query = page_query,
      .about = "Chats in a folder" },
    { GET, "/api/v1/chats/pinned", VERIFIED, list_pinned, .about = "Pinned chats of the caller" },
    { GET, "/api/v1/chats/all", VERIFIED, all_chats, .about = "All chats of the caller, whole" },
    { GET, "/api/v1/chats/all/archived", VERIFIED, all_archived, .about = "All archived chats of the caller, whole" },
    { GET, "/api/v1/chats/all/db", ADMIN, all_in_database, .about = "All chats of all users, whole" },
    { GET, "/api/v1/chats/archived", VERIFIED, list_archived, .query = filter_query,
      .about = "Archived chats of the caller" },
    { POST, "/internal/step/index_chats", INTERNAL, index_chats, .body = BODY_JSON_ANY, .keep_unknown = true,
      .hidden = true, .about = "The search index of a user with very many chats" },
    END
};
