/* evaluations.c: /api/v1/evaluations: the arena's settings, and feedback on answers. The leaderboard is counted by the page, from the list of all feedback. */
#include "handlers/list_reply.h"
#include "handlers/routes.h"
#include "handlers/settings_form.h"
#include "handlers/texts.h"
#include "lib/base/clock.h"
#include "lib/base/random.h"
#include "lib/store/feedbacks.h"
#include "lib/store/owners.h"
#include "lib/store/row_json.h"

/* ---- settings */

static const struct form_setting arena[] = { { "ENABLE_EVALUATION_ARENA_MODELS", CFG_ENABLE_EVALUATION_ARENA_MODELS },
                                             { "EVALUATION_ARENA_MODELS", CFG_EVALUATION_ARENA_MODELS },
                                             { NULL, 0 } };

static const struct field arena_form[] = { FIELD(BOOLEAN, "ENABLE_EVALUATION_ARENA_MODELS", OPTIONAL),
                                           FIELD(LIST_OF_OBJECTS, "EVALUATION_ARENA_MODELS", OPTIONAL), END };

static int show_config(struct request *r, struct response *out)
{
    return form_settings_show(r, out, arena);
}

static int save_config(struct request *r, struct response *out)
{
    for (const struct form_setting *s = arena; s->name; s++)
        if (!form_json(r, s->name))
            json_del(r->form, s->name); /* null: it stays */
    return form_settings_save(r, out, arena);
}

/* ---- lists of feedback */

static void add_feedback(struct buf *b, const struct feedback *f)
{
    member_text(b, "{\"id\":", f->id);
    member_text(b, ",\"user_id\":", f->user_id);
    member_int(b, ",\"version\":", f->version);
    member_text(b, ",\"type\":", f->type);
    member_json(b, ",\"data\":", f->data);
    member_json(b, ",\"meta\":", f->meta);
    member_int(b, ",\"created_at\":", f->created_at);
    member_int(b, ",\"updated_at\":", f->updated_at);
}

static void add_owner(struct buf *b, const struct user *u) /* NULL: null */
{
    if (!u) {
        buf_add_c(b, ",\"user\":null");
        return;
    }
    member_text(b, ",\"user\":{\"id\":", u->id);
    member_text(b, ",\"name\":", u->name);
    member_text(b, ",\"email\":", u->email);
    member_text(b, ",\"role\":", u->role);
    member_int(b, ",\"last_active_at\":", u->last_active_at);
    member_int(b, ",\"updated_at\":", u->updated_at);
    member_int(b, ",\"created_at\":", u->created_at);
    buf_add_char(b, '}');
}

static int reply_list(struct request *r, struct response *out, struct str user_id, bool with_snapshots)
{
    struct list_reply reply = list_start(r->mem);
    struct owners owners = { NULL };
    struct feedback *v;
    size_t n;

    if (feedback_list(r->db, r->mem, user_id, with_snapshots, &v, &n) == DB_ERROR)
        return fail_db(out, r->db);
    if (!user_id.p && !with_snapshots &&
        owners_read(r->db, r->mem, v, n, sizeof *v, offsetof(struct feedback, user_id), &owners) == DB_ERROR)
        return fail_db(out, r->db);
    for (size_t i = 0; i < n; i++) {
        struct buf *b = list_item(&reply);

        add_feedback(b, &v[i]);
        if (with_snapshots)
            member_json(b, ",\"snapshot\":", v[i].snapshot);
        else
            add_owner(b, owners_find(&owners, v[i].user_id));
        buf_add_char(b, '}');
    }
    return list_end(&reply, out);
}

static int list_all(struct request *r, struct response *out)
{
    return reply_list(r, out, STR_NONE, false);
}

static int export_all(struct request *r, struct response *out)
{
    return reply_list(r, out, STR_NONE, true);
}

static int list_own(struct request *r, struct response *out)
{
    return reply_list(r, out, r->user->id, false);
}

/* Whether there was any. */
static int delete_of(struct request *r, struct response *out, struct str user_id)
{
    enum db_status st = feedback_delete_all(r->db, user_id);

    return st == DB_ERROR ? fail_db(out, r->db) : reply_bool(out, st == DB_ROW);
}

static int delete_all(struct request *r, struct response *out)
{
    return delete_of(r, out, STR_NONE);
}

static int delete_own(struct request *r, struct response *out)
{
    return delete_of(r, out, r->user->id);
}

/* ---- one feedback */

static int reply_feedback(struct request *r, struct response *out, const struct feedback *f)
{
    struct buf b = BUF(r->mem, LIST_MAX_BYTES);

    add_feedback(&b, f);
    member_json(&b, ",\"snapshot\":", f->snapshot);
    buf_add_char(&b, '}');
    return reply_json_text(out, buf_str(&b));
}

static struct str text_or_none(struct request *r, const char *member)
{
    return form_json(r, member) ? json_text(r->mem, form_json(r, member)) : STR_NONE;
}

static int create_feedback(struct request *r, struct response *out)
{
    struct feedback f = { .id = random_uuid(r->mem),
                          .user_id = r->user->id,
                          .type = form_str(r, "type"),
                          .data = text_or_none(r, "data"),
                          .meta = text_or_none(r, "meta"),
                          .snapshot = text_or_none(r, "snapshot"),
                          .created_at = now_s(),
                          .updated_at = now_s() };

    return feedback_insert(r->db, &f) == DB_ERROR ? fail_db(out, r->db) : reply_feedback(r, out, &f);
}

/* Whose feedback the caller may touch: an administrator everybody's. */
static struct str whose(struct request *r)
{
    return r->user->is_admin ? STR_NONE : r->user->id;
}

static int get_feedback(struct request *r, struct response *out)
{
    struct feedback f;

    switch (feedback_by_id(r->db, r->mem, path_arg(r, "id"), whose(r), &f)) {
    case DB_ROW: return reply_feedback(r, out, &f);
    case DB_DONE: return fail(out, 404, NOT_FOUND_TEXT);
    default: return fail_db(out, r->db);
    }
}

/* What the form has replaces what was there; the type stays. */
static int update_feedback(struct request *r, struct response *out)
{
    struct feedback f;
    enum db_status st = feedback_by_id(r->db, r->mem, path_arg(r, "id"), whose(r), &f);

    if (st == DB_DONE)
        return fail(out, 404, NOT_FOUND_TEXT);
    if (st == DB_ROW) {
        if (form_json(r, "data"))
            f.data = text_or_none(r, "data");
        if (json_truthy(form_json(r, "meta")))
            f.meta = text_or_none(r, "meta");
        if (form_json(r, "snapshot"))
            f.snapshot = text_or_none(r, "snapshot");
        f.updated_at = now_s();
        st = feedback_update(r->db, &f);
    }
    return st == DB_ERROR ? fail_db(out, r->db) : reply_feedback(r, out, &f);
}

static int delete_feedback(struct request *r, struct response *out)
{
    switch (feedback_delete(r->db, path_arg(r, "id"), whose(r))) {
    case DB_ROW: return reply_bool(out, true);
    case DB_DONE: return fail(out, 404, NOT_FOUND_TEXT);
    default: return fail_db(out, r->db);
    }
}

/* ---- routes */

static const struct field data_form[] = { FIELD(STRING_OR_INTEGER, "rating", OPTIONAL, .def = "null"),
                                          FIELD(STRING, "model_id", OPTIONAL, .def = "null"),
                                          FIELD(LIST_OF_STRINGS, "sibling_model_ids", OPTIONAL, .def = "null"),
                                          FIELD(STRING, "reason", OPTIONAL, .def = "null"),
                                          FIELD(STRING, "comment", OPTIONAL, .def = "null"),
                                          END };
static const struct field snapshot_form[] = { FIELD(OBJECT, "chat", OPTIONAL, .def = "null"), END };
static const struct field feedback_form[] = { FIELD(STRING, "type", REQUIRED),
                                              FIELD(FORM, "data", OPTIONAL, .form = data_form),
                                              FIELD(OBJECT, "meta", OPTIONAL),
                                              FIELD(FORM, "snapshot", OPTIONAL, .form = snapshot_form), END };

const struct route evaluations_routes[] = {
    { GET, "/api/v1/evaluations/config", ADMIN, show_config, .about = "The arena's settings" },
    { POST, "/api/v1/evaluations/config", ADMIN, save_config, .form = arena_form,
      .about = "Changes the arena's settings" },
    { GET, "/api/v1/evaluations/feedbacks/all", ADMIN, list_all, .about = "All feedback, without snapshots" },
    { DELETE, "/api/v1/evaluations/feedbacks/all", ADMIN, delete_all, .about = "Deletes all feedback" },
    { GET, "/api/v1/evaluations/feedbacks/all/export", ADMIN, export_all, .about = "All feedback with snapshots" },
    { GET, "/api/v1/evaluations/feedbacks/user", VERIFIED, list_own, .about = "The caller's feedback" },
    { DELETE, "/api/v1/evaluations/feedbacks", VERIFIED, delete_own, .about = "Deletes the caller's feedback" },
    { POST, "/api/v1/evaluations/feedback", VERIFIED, create_feedback, .form = feedback_form, .keep_unknown = true,
      .about = "A new feedback" },
    { GET, "/api/v1/evaluations/feedback/{id}", VERIFIED, get_feedback, .about = "One feedback" },
    { POST, "/api/v1/evaluations/feedback/{id}", VERIFIED, update_feedback, .form = feedback_form, .keep_unknown = true,
      .about = "Changes a feedback" },
    { DELETE, "/api/v1/evaluations/feedback/{id}", VERIFIED, delete_feedback, .about = "Deletes a feedback" },
    END
};
