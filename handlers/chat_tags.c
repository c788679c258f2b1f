/* chat_tags.c: the tags of chats. */
#include "handlers/chat_reply.h"
#include "handlers/routes.h"

static int reply_own_tags(struct request *r, struct response *out, struct str ids)
{
    struct tags tags;

    if (tags_by_ids(r->db, r->mem, r->user->id, ids, &tags) == DB_ERROR)
        return fail_db(out, r->db);
    return reply_tags(out, &tags);
}

static int list_tags(struct request *r, struct response *out)
{
    struct tags tags;

    return tags_of_user(r->db, r->mem, r->user->id, &tags) == DB_ERROR ? fail_db(out, r->db) : reply_tags(out, &tags);
}

static int get_chat_tags(struct request *r, struct response *out)
{
    struct chat c;

    switch (chat_row_of_user(r->db, r->mem, path_arg(r, "id"), r->user->id, &c)) {
    case DB_ROW: return reply_own_tags(r, out, chat_tag_ids(r->mem, &c));
    case DB_DONE: return fail(out, 401, NOT_FOUND_TEXT);
    default: return fail_db(out, r->db);
    }
}

static int chats_by_tag(struct request *r, struct response *out)
{
    struct str tag_id = tag_id_of(r->mem, form_str(r, "name"));
    struct chat_titles titles;

    if (chat_titles_by_tag(r->db, r->mem, r->user->id, tag_id, &titles) == DB_ERROR ||
        (titles.n == 0 && tag_delete(r->db, tag_id, r->user->id) == DB_ERROR))
        return fail_db(out, r->db);
    return reply_chat_titles(out, &titles);
}

/* The row of {id} inside a transaction; its tags are about to change. */
static enum db_status begin(struct request *r, struct chat *c)
{
    return db_begin(r->db) == DB_ERROR ? DB_ERROR : chat_for_update(r->db, r->mem, path_arg(r, "id"), r->user->id, c);
}

static int abandon(struct request *r, struct response *out, enum db_status st, const char *if_missing)
{
    int status = st == DB_ERROR ? fail_db(out, r->db) : fail(out, 401, "%s", if_missing);

    db_rollback(r->db);
    return status;
}

static enum db_status save_tags(struct request *r, const struct chat *c, struct str ids)
{
    return chat_set_meta(r->db, c->id, json_text_with(r->mem, c->meta, "tags", ids));
}

/* Drops the name of a tag that none of the user's open chats carries. */
static enum db_status drop_if_unused(struct request *r, struct str tag_id)
{
    int64_t n = 0;

    if (chat_count_with_tag(r->db, r->mem, r->user->id, tag_id, &n) == DB_ERROR)
        return DB_ERROR;
    return n == 0 ? tag_delete(r->db, tag_id, r->user->id) : DB_DONE;
}

static int add_tag(struct request *r, struct response *out)
{
    struct str name = form_str(r, "name"), id = tag_id_of(r->mem, name);
    json_object *ids;
    bool there = false;
    struct chat c;
    enum db_status st = begin(r, &c);

    if (st != DB_ROW)
        return abandon(r, out, st, WENT_WRONG);
    if (str_is(id, "none")) {
        db_rollback(r->db);
        return fail(out, 400, "[ERROR: Tag name cannot be 'None']");
    }
    ids = json_parse_or_null(r->mem, chat_tag_ids(r->mem, &c));
    JSON_EACH (ids, i, tag)
        there |= str_eq(json_str_value(tag), id);
    if (!there) {
        json_push_str(ids, id);
        if (tag_ensure(r->db, r->mem, name, r->user->id) == DB_ERROR ||
            save_tags(r, &c, json_text(r->mem, ids)) == DB_ERROR)
            return abandon(r, out, DB_ERROR, "");
    }
    if (db_commit(r->db) == DB_ERROR)
        return abandon(r, out, DB_ERROR, "");
    return reply_own_tags(r, out, json_text(r->mem, ids));
}

static int remove_tag(struct request *r, struct response *out)
{
    struct str id = tag_id_of(r->mem, form_str(r, "name"));
    json_object *left = json_new_array(r->mem);
    struct chat c;
    enum db_status st = begin(r, &c);

    if (st != DB_ROW)
        return abandon(r, out, st, NOT_FOUND_TEXT);
    JSON_EACH (json_parse_or_null(r->mem, chat_tag_ids(r->mem, &c)), i, tag)
        if (!str_eq(json_str_value(tag), id))
            json_push(left, tag);
    if (save_tags(r, &c, json_text(r->mem, left)) == DB_ERROR || drop_if_unused(r, id) == DB_ERROR ||
        db_commit(r->db) == DB_ERROR)
        return abandon(r, out, DB_ERROR, "");
    return reply_own_tags(r, out, json_text(r->mem, left));
}

static int remove_all_tags(struct request *r, struct response *out)
{
    struct chat c;
    enum db_status st = begin(r, &c);

    if (st != DB_ROW)
        return abandon(r, out, st, NOT_FOUND_TEXT);
    if (save_tags(r, &c, S("[]")) == DB_ERROR)
        return abandon(r, out, DB_ERROR, "");
    JSON_EACH (json_parse_or_null(r->mem, chat_tag_ids(r->mem, &c)), i, tag)
        if (drop_if_unused(r, json_str_value(tag)) == DB_ERROR)
            return abandon(r, out, DB_ERROR, "");
    return db_commit(r->db) == DB_ERROR ? abandon(r, out, DB_ERROR, "") : reply_bool(out, true);
}

static const struct field tag_form[] = { FIELD(STRING, "name", REQUIRED), END };
static const struct field tag_filter_form[] = { FIELD(STRING, "name", REQUIRED),
                                                FIELD(INTEGER, "skip", OPTIONAL, .def = "0"),
                                                FIELD(INTEGER, "limit", OPTIONAL, .def = "50"), END };

const struct route chat_tags_routes[] = {
    { GET, "/api/v1/chats/all/tags", VERIFIED, list_tags, .about = "All tags of the caller" },
    { POST, "/api/v1/chats/tags", VERIFIED, chats_by_tag, .form = tag_filter_form,
      .about = "Chats of the caller that carry a tag" },
    { GET, "/api/v1/chats/{id}/tags", VERIFIED, get_chat_tags, .about = "Tags of a chat" },
    { POST, "/api/v1/chats/{id}/tags", VERIFIED, add_tag, .form = tag_form, .about = "Adds a tag to a chat" },
    { DELETE, "/api/v1/chats/{id}/tags", VERIFIED, remove_tag, .form = tag_form, .about = "Takes a tag off a chat" },
    { DELETE, "/api/v1/chats/{id}/tags/all", VERIFIED, remove_all_tags, .about = "Takes all tags off a chat" },
    END
};
