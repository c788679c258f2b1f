/* channel_messages.c: /api/v1/channels/{id}/messages: what is written in a channel: pages, threads, reactions. */
#include "handlers/channel.h"
#include "handlers/chat_reply.h"
#include "handlers/list_reply.h"
#include "handlers/routes.h"
#include "lib/base/clock.h"
#include "lib/base/random.h"
#include "lib/store/reactions.h"

static struct channel_scene scene_of(struct request *r, const struct channel *c)
{
    return (struct channel_scene){ r->mem, r->config, c, r->user };
}

static bool is_in(const struct message *m, const struct channel *c)
{
    return m->channel_id.p && str_eq(m->channel_id, c->id);
}

/* The message {message_id} of the channel; otherwise the answer is made: *status. */
static bool find_message(struct request *r, struct response *out, const struct channel *c, struct message_view *v,
                         int *status)
{
    enum db_status st = message_view(r->db, r->mem, path_arg(r, "message_id"), v);

    if (st == DB_ERROR)
        *status = fail_db(out, r->db);
    else if (st == DB_DONE)
        *status = fail(out, 404, NOT_FOUND_TEXT);
    else if (!is_in(&v->message, c))
        *status = fail(out, 400, WENT_WRONG);
    else
        return true;
    return false;
}

/* Who wrote it may change it, and so may whoever may write in the channel: the Python backend lets every reader change what others wrote. */
static bool may_change(struct request *r, const struct channel *c, const struct message *m)
{
    bool is_author = str_eq(m->user_id, r->user->id);

    return channel_may_write(r->mem, r->db, r->user, c) || (is_author && channel_may_read(r->mem, r->db, r->user, c));
}

/* Channel and message for a change by the caller; otherwise the answer is made. A stranger is not told which messages there are. */
static bool find_for_change(struct request *r, struct response *out, struct channel *c, struct message_view *v,
                            int *status)
{
    if (!channel_of_request(r, out, CHANNEL_ANY, c, status))
        return false;
    if (!channel_may_read(r->mem, r->db, r->user, c) && !channel_may_write(r->mem, r->db, r->user, c)) {
        *status = fail(out, 403, WENT_WRONG);
        return false;
    }
    if (!find_message(r, out, c, v, status))
        return false;
    if (may_change(r, c, &v->message))
        return true;
    *status = fail(out, 403, WENT_WRONG);
    return false;
}

static struct str message_text_of(struct arena *mem, const struct message *m)
{
    struct buf b = BUF(mem, STR_NPOS);

    message_json(&b, m);
    return buf_str(&b);
}

/* ---- reading */

static void add_views(struct list_reply *reply, const struct message_view *v, size_t n, bool with_replies)
{
    for (size_t i = 0; i < n; i++) {
        struct buf *b = list_item(reply);

        message_view_json_open(b, &v[i], with_replies);
        buf_add_char(b, '}');
    }
}

static int list_messages(struct request *r, struct response *out)
{
    struct list_reply reply = list_start(r->mem);
    struct message_view *v;
    struct channel c;
    int status;
    size_t n;

    if (!channel_of_request(r, out, CHANNEL_READ, &c, &status))
        return status;
    if (messages_of_channel(r->db, r->mem, c.id, query_int(r, "skip", 0), query_int(r, "limit", 50), &v, &n) ==
        DB_ERROR)
        return fail_db(out, r->db);
    add_views(&reply, v, n, true);
    return list_end(&reply, out);
}

static int get_message(struct request *r, struct response *out)
{
    struct buf b = BUF(r->mem, STR_NPOS);
    struct message_view v;
    struct channel c;
    int status;

    if (!channel_of_request(r, out, CHANNEL_READ, &c, &status) || !find_message(r, out, &c, &v, &status))
        return status;
    message_view_json_open(&b, &v, true);
    buf_add_char(&b, '}');
    return reply_json_text(out, buf_str(&b));
}

/* The replies, newest first, and where they end before the limit the message that began the thread. */
static int list_thread(struct request *r, struct response *out)
{
    struct list_reply reply = list_start(r->mem);
    int64_t limit = query_int(r, "limit", 50);
    struct message_view first, *v;
    enum db_status st;
    struct channel c;
    int status;
    size_t n;

    if (!channel_of_request(r, out, CHANNEL_READ, &c, &status))
        return status;
    st = message_view(r->db, r->mem, path_arg(r, "message_id"), &first);
    if (st == DB_ERROR)
        return fail_db(out, r->db);
    if (st == DB_DONE || !is_in(&first.message, &c))
        return list_end(&reply, out);
    if (messages_of_thread(r->db, r->mem, c.id, first.message.id, query_int(r, "skip", 0), limit, &v, &n) == DB_ERROR)
        return fail_db(out, r->db);
    add_views(&reply, v, n, false);
    if (limit < 0 || (int64_t)n < limit)
        add_views(&reply, &first, 1, false);
    return list_end(&reply, out);
}

/* ---- writing */

/* A message that was answered, whose count has changed: the room is shown it again. */
static enum db_status tell_parent(const struct channel_scene *s, struct db *db, const struct message *m)
{
    struct message_view parent;
    enum db_status st = DB_DONE;

    if (m->parent_id.n)
        st = message_view(db, s->mem, m->parent_id, &parent);
    if (st == DB_ROW && is_in(&parent.message, s->channel))
        channel_tell(s, "message:reply", &parent, STR_NONE);
    return st;
}

enum db_status channel_write(const struct channel_scene *s, struct db *db, struct message *m, struct message_view *v)
{
    m->id = random_uuid(s->mem);
    m->user_id = s->user->id;
    m->channel_id = s->channel->id;
    m->created_at = m->updated_at = now_ns();
    if (message_insert(db, m) == DB_ERROR || message_view(db, s->mem, m->id, v) != DB_ROW)
        return DB_ERROR;
    channel_tell(s, "message", v, STR_NONE);
    return tell_parent(s, db, m) == DB_ERROR ? DB_ERROR : DB_ROW;
}

/* Ids in a body count, too: what is answered or quoted must be in this channel. DB_DONE: it is not. */
static enum db_status refers_here(struct request *r, const struct channel *c, const char *name)
{
    struct str id = form_str(r, name), channel_id = STR_NONE;
    enum db_status st;

    if (!id.p)
        return DB_ROW;
    st = message_channel(r->db, r->mem, id, &channel_id);
    return st == DB_ROW && !str_eq(channel_id, c->id) ? DB_DONE : st;
}

static struct str form_text(struct request *r, const char *name) /* absent: null */
{
    return form_json(r, name) ? json_text(r->mem, form_json(r, name)) : STR_NONE;
}

static int post_message(struct request *r, struct response *out)
{
    static const char *const references[] = { "parent_id", "reply_to_id" };
    struct message_view v;
    struct channel_scene s;
    json_object *plan;
    struct message m;
    struct channel c;
    struct str text;
    int status;

    if (!channel_of_request(r, out, CHANNEL_WRITE, &c, &status))
        return status;
    for (size_t i = 0; i < sizeof(references) / sizeof(references[0]); i++) {
        enum db_status st = refers_here(r, &c, references[i]);

        if (st != DB_ROW)
            return st == DB_ERROR ? fail_db(out, r->db) : fail(out, 400, WENT_WRONG);
    }
    m = (struct message){ .reply_to_id = form_str(r, "reply_to_id"),
                          .parent_id = form_str(r, "parent_id"),
                          .content = form_str(r, "content"),
                          .data = form_text(r, "data"),
                          .meta = form_text(r, "meta") };
    s = scene_of(r, &c);
    if (channel_write(&s, r->db, &m, &v) == DB_ERROR)
        return fail_db(out, r->db);
    text = message_text_of(r->mem, &v.message);
    plan = channel_after_post(r, &c, &v, text);
    return plan ? reply_plan(out, plan) : reply_json_text(out, text);
}

static int update_message(struct request *r, struct response *out)
{
    struct message_view v;
    struct channel_scene s;
    enum db_status st;
    struct channel c;
    int status;

    if (!find_for_change(r, out, &c, &v, &status))
        return status;
    st = message_update(r->db, r->mem, v.message.id, form_str(r, "content"), form_json(r, "data"),
                        form_json(r, "meta"));
    if (st == DB_ROW)
        st = message_view(r->db, r->mem, v.message.id, &v);
    if (st != DB_ROW)
        return st == DB_ERROR ? fail_db(out, r->db) : fail(out, 404, NOT_FOUND_TEXT);
    s = scene_of(r, &c);
    channel_tell(&s, "message:update", &v, STR_NONE);
    return reply_json_text(out, message_text_of(r->mem, &v.message));
}

static int delete_message(struct request *r, struct response *out)
{
    struct message_view v;
    struct channel_scene s;
    struct channel c;
    int status;

    if (!find_for_change(r, out, &c, &v, &status))
        return status;
    if (message_delete(r->db, v.message.id) == DB_ERROR)
        return fail_db(out, r->db);
    s = scene_of(r, &c);
    v.message.author = channel_author(r->user); /* here it is who deletes */
    channel_tell(&s, "message:delete", &v, STR_NONE);
    return tell_parent(&s, r->db, &v.message) == DB_ERROR ? fail_db(out, r->db) : reply_bool(out, true);
}

/* ---- reactions */

static int react(struct request *r, struct response *out, bool add)
{
    struct str name = form_str(r, "name");
    struct message_view v;
    struct channel_scene s;
    enum db_status st;
    struct channel c;
    int status;

    if (!channel_of_request(r, out, CHANNEL_WRITE, &c, &status) || !find_message(r, out, &c, &v, &status))
        return status;
    if (add)
        st = reaction_add(r->db, r->mem, v.message.id, r->user->id, name);
    else
        st = reaction_remove(r->db, v.message.id, r->user->id, name);
    if (st != DB_ERROR)
        st = message_view(r->db, r->mem, v.message.id, &v);
    if (st != DB_ROW)
        return st == DB_ERROR ? fail_db(out, r->db) : fail(out, 404, NOT_FOUND_TEXT);
    s = scene_of(r, &c);
    channel_tell(&s, add ? "message:reaction:add" : "message:reaction:remove", &v, name);
    return reply_bool(out, true);
}

static int add_reaction(struct request *r, struct response *out)
{
    return react(r, out, true);
}

static int remove_reaction(struct request *r, struct response *out)
{
    return react(r, out, false);
}

static const struct field page_query[] = { FIELD(INTEGER, "skip", NOT_NULL, .def = "0"),
                                           FIELD(INTEGER, "limit", NOT_NULL, .def = "50"), END };
static const struct field message_form[] = {
    FIELD(STRING, "content", REQUIRED), FIELD(STRING, "reply_to_id", OPTIONAL), FIELD(STRING, "parent_id", OPTIONAL),
    FIELD(OBJECT, "data", OPTIONAL),    FIELD(OBJECT, "meta", OPTIONAL),        END
};
static const struct field reaction_form[] = { FIELD(STRING, "name", REQUIRED), END };

#define MESSAGES "/api/v1/channels/{id}/messages"

const struct route channel_messages_routes[] = {
    { GET, MESSAGES, VERIFIED, list_messages, .query = page_query, .about = "Messages of a channel, newest first" },
    { POST, MESSAGES "/post", VERIFIED, post_message, .form = message_form, .server = SIDECAR,
      .about = "A new message" },
    { GET, MESSAGES "/{message_id}", VERIFIED, get_message, .about = "One message" },
    { GET, MESSAGES "/{message_id}/thread", VERIFIED, list_thread, .query = page_query,
      .about = "Replies in a thread, newest first, and the message that began it" },
    { POST, MESSAGES "/{message_id}/update", VERIFIED, update_message, .form = message_form,
      .about = "Changes a message" },
    { POST, MESSAGES "/{message_id}/reactions/add", VERIFIED, add_reaction, .form = reaction_form,
      .about = "An emoji at a message" },
    { POST, MESSAGES "/{message_id}/reactions/remove", VERIFIED, remove_reaction, .form = reaction_form,
      .about = "Takes an emoji back" },
    { DELETE, MESSAGES "/{message_id}/delete", VERIFIED, delete_message, .about = "Deletes a message" },
    END
};
