/* notes.c: /api/v1/notes: list, create, read, change, delete. Tabs that have a note open hear of changes. */
#include "handlers/notes.h"

#include "handlers/chat_reply.h"
#include "handlers/list_reply.h"
#include "handlers/routes.h"
#include "lib/auth/auth.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/random.h"
#include "lib/net/control.h"
#include "lib/store/owners.h"

enum { PAGE = 60 };

bool note_may(struct request *r, const struct user *u, const struct note *note, const char *type)
{
    return u->is_admin || str_eq(note->user_id, u->id) || auth_access(r->mem, r->db, u->id, type, note->access_control);
}

struct str note_data_with(struct request *r, struct str data, json_object *changes)
{
    return json_is(changes, json_type_object) ? json_text_merged(r->mem, data, changes) : data;
}

static struct str note_text(struct request *r, const struct note *note)
{
    struct buf b = BUF(r->mem, STR_NPOS);

    note_json_open(&b, note);
    buf_add_char(&b, '}');
    return buf_str(&b);
}

/* ---- lists: an administrator's are of what he may write as a user */

static bool is_listed(struct request *r, const struct note *note)
{
    return str_eq(note->user_id, r->user->id) || auth_access(r->mem, r->db, r->user->id, "write", note->access_control);
}

static int list(struct request *r, struct response *out)
{
    struct list_reply reply = list_start(r->mem);
    struct note *notes;
    struct owners owners;
    size_t all, n = 0;

    if (note_list(r->db, r->mem, true, &notes, &all) == DB_ERROR)
        return fail_db(out, r->db);
    for (size_t i = 0; i < all; i++)
        if (is_listed(r, &notes[i]))
            notes[n++] = notes[i];
    if (owners_read(r->db, r->mem, notes, n, sizeof *notes, offsetof(struct note, user_id), &owners) == DB_ERROR)
        return fail_db(out, r->db);
    for (size_t i = 0; i < n; i++) {
        struct buf *b = list_item(&reply);

        note_json_open(b, &notes[i]);
        member_owner(b, ",\"user\":", &owners, notes[i].user_id);
        buf_add_char(b, '}');
    }
    return list_end(&reply, out);
}

/* Pages count from 1; only what somebody may write counts. A page before the first is the first, as slicing in Python has it. */
static int list_titles(struct request *r, struct response *out)
{
    struct list_reply reply = list_start(r->mem);
    bool paged = query_has(r, "page");
    int64_t page = query_int(r, "page", 1), skip = paged && page > 1 && page < INT64_MAX / PAGE ? (page - 1) * PAGE : 0,
            seen = 0;
    struct note *notes;
    size_t n;

    if (note_list(r->db, r->mem, false, &notes, &n) == DB_ERROR)
        return fail_db(out, r->db);
    for (size_t i = 0; i < n && !(paged && seen >= skip + PAGE); i++)
        if (is_listed(r, &notes[i]) && seen++ >= skip)
            note_json_title(list_item(&reply), &notes[i]);
    return list_end(&reply, out);
}

/* ---- one note */

static struct str member_text_of(struct request *r, const char *name) /* absent: null */
{
    json_object *value = form_json(r, name);

    return value ? json_text(r->mem, value) : STR_NONE;
}

static int create_note(struct request *r, struct response *out)
{
    struct note note = { .id = random_uuid(r->mem),
                         .user_id = r->user->id,
                         .title = form_str(r, "title"),
                         .data = member_text_of(r, "data"),
                         .meta = member_text_of(r, "meta"),
                         .access_control = member_text_of(r, "access_control"),
                         .created_at = now_ns() };

    note.updated_at = note.created_at;
    return note_insert(r->db, &note) == DB_ERROR ? fail_db(out, r->db) : reply_json_text(out, note_text(r, &note));
}

/* What was found is the caller's to use as type says; otherwise the answer is made: *status. */
static bool admit(struct request *r, struct response *out, enum db_status st, const struct note *note, const char *type,
                  int *status)
{
    if (st == DB_ERROR)
        *status = fail_db(out, r->db);
    else if (st == DB_DONE)
        *status = fail(out, 404, NOT_FOUND_TEXT);
    else if (!note_may(r, r->user, note, type))
        *status = fail(out, 403, WENT_WRONG);
    else
        return true;
    return false;
}

static int get_note(struct request *r, struct response *out)
{
    struct note note;
    int status;

    if (!admit(r, out, note_by_id(r->db, r->mem, path_arg(r, "id"), &note), &note, "read", &status))
        return status;
    return reply_json_text(out, note_text(r, &note));
}

/* Who may not share with everybody cannot: without a list of people the note is the owner's alone, also when nothing was said of access. */
static void take_access(struct request *r, struct note *note)
{
    bool may_open = r->user->is_admin || form_json(r, "access_control") ||
                    auth_permission(r->mem, r->db, r->config, r->user, "sharing.public_notes");

    if (!may_open)
        note->access_control = S("{}");
    else if (form_has(r, "access_control"))
        note->access_control = member_text_of(r, "access_control");
}

/* text absent: the note is gone. */
static void tell_tabs(struct request *r, struct str id, struct str text)
{
    if (control_note_changed(r->mem, config_run_dir(r->config), id, text.p ? json_new_raw(r->mem, text) : NULL) ==
        FAILED)
        log_warning("the sidecar did not pass on the change of note %.*s", STR(id));
}

static int update_note(struct request *r, struct response *out)
{
    enum db_status st = db_begin(r->db);
    struct note note;
    struct str text;
    int status;

    if (st != DB_ERROR)
        st = note_for_update(r->db, r->mem, path_arg(r, "id"), &note);
    if (!admit(r, out, st, &note, "write", &status)) {
        db_rollback(r->db);
        return status;
    }
    note.title = form_str(r, "title");
    note.data = note_data_with(r, note.data, form_json(r, "data"));
    note.meta = note_data_with(r, note.meta, form_json(r, "meta"));
    take_access(r, &note);
    note.updated_at = now_ns();
    if (note_update_commit(r->db, &note) == DB_ERROR)
        return fail_db(out, r->db);
    text = note_text(r, &note);
    tell_tabs(r, note.id, text);
    return reply_json_text(out, text);
}

static int delete_note(struct request *r, struct response *out)
{
    struct note note;
    int status;

    if (!admit(r, out, note_head_by_id(r->db, r->mem, path_arg(r, "id"), &note), &note, "write", &status))
        return status;
    if (note_delete(r->db, note.id) == DB_ERROR)
        return fail_db(out, r->db);
    tell_tabs(r, note.id, STR_NONE);
    return reply_bool(out, true);
}

static const struct field page_query[] = { FIELD(INTEGER, "page", OPTIONAL), END };
static const struct field note_form[] = { FIELD(STRING, "title", REQUIRED), FIELD(OBJECT, "data", OPTIONAL),
                                          FIELD(OBJECT, "meta", OPTIONAL), FIELD(OBJECT, "access_control", OPTIONAL),
                                          END };

const struct route notes_routes[] = {
    { GET, "/api/v1/notes/", VERIFIED, list, .needs = "features.notes", .about = "Notes the caller may write" },
    { GET, "/api/v1/notes/list", VERIFIED, list_titles, .needs = "features.notes", .query = page_query,
      .about = "Titles of the notes the caller may write" },
    { POST, "/api/v1/notes/create", VERIFIED, create_note, .needs = "features.notes", .form = note_form,
      .about = "A new note" },
    { GET, "/api/v1/notes/{id}", VERIFIED, get_note, .needs = "features.notes", .about = "One note" },
    { POST, "/api/v1/notes/{id}/update", VERIFIED, update_note, .needs = "features.notes", .form = note_form,
      .about = "Changes a note" },
    { DELETE, "/api/v1/notes/{id}/delete", VERIFIED, delete_note, .needs = "features.notes",
      .about = "Deletes a note" },
    END
};
