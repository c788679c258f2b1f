/* note_steps.c: a worker's part of notes that several people have open (docs/plans.md, "Other steps"): who may, and saving. */
#include "handlers/chat_reply.h"
#include "handlers/notes.h"
#include "handlers/routes.h"
#include "lib/auth/auth.h"
#include "lib/base/clock.h"
#include "lib/store/users.h"

enum { MAX_USERS = 1000 };

/* Accounts that wait for approval, and those without the permission, are strangers to every note. */
static bool has_notes(struct request *r, struct user *u)
{
    u->is_admin = str_is(u->role, "admin");
    return u->is_admin || (str_is(u->role, "user") && auth_permission(r->mem, r->db, r->config, u, "features.notes"));
}

/* {"note_id", "user_ids": […]} → {"access": {user id: "write" or "read", …}, "exists": bool} */
static int get_access(struct request *r, struct response *out)
{
    json_object *asked = form_json(r, "user_ids"), *answer = json_new_object(r->mem),
                *access = json_set_object(answer, "access");
    size_t n = json_length(asked), users_n = 0;
    struct str *ids = arena_new_array(r->mem, struct str, n + 1);
    struct user *users = NULL;
    struct note note;
    enum db_status st;

    if (n > MAX_USERS)
        return fail(out, 400, "too many users");
    for (size_t i = 0; i < n; i++)
        ids[i] = json_str_value(json_at(asked, i));
    st = note_head_by_id(r->db, r->mem, form_str(r, "note_id"), &note);
    if (st == DB_ERROR || (n && user_by_ids(r->db, r->mem, ids, n, &users, &users_n) == DB_ERROR))
        return fail_db(out, r->db);
    json_set_bool(answer, "exists", st == DB_ROW);
    for (size_t i = 0; i < users_n && st == DB_ROW; i++) {
        if (!has_notes(r, &users[i]))
            continue;
        if (note_may(r, &users[i], &note, "write"))
            json_set_c(access, users[i].id.p, "write");
        else if (note_may(r, &users[i], &note, "read"))
            json_set_c(access, users[i].id.p, "read");
    }
    return reply_json(out, answer);
}

/* {"note_id", "user_id", "data"}: data goes over what the note has. 403: he may not write it (any more). */
static int save(struct request *r, struct response *out)
{
    struct user user;
    struct note note;
    enum db_status st = user_by_id(r->db, r->mem, form_str(r, "user_id"), &user);

    if (st != DB_ROW)
        return st == DB_ERROR ? fail_db(out, r->db) : fail(out, 404, NOT_FOUND_TEXT);
    st = db_begin(r->db);
    if (st != DB_ERROR)
        st = note_for_update(r->db, r->mem, form_str(r, "note_id"), &note);
    if (st != DB_ROW || !has_notes(r, &user) || !note_may(r, &user, &note, "write")) {
        db_rollback(r->db);
        return st == DB_ERROR  ? fail_db(out, r->db)
               : st == DB_DONE ? fail(out, 404, NOT_FOUND_TEXT)
                               : fail(out, 403, PROHIBITED_TEXT);
    }
    note.data = note_data_with(r, note.data, form_json(r, "data"));
    note.updated_at = now_ns();
    return note_update_commit(r->db, &note) == DB_ERROR ? fail_db(out, r->db) : reply_bool(out, true);
}

static const struct field access_form[] = { FIELD(STRING, "note_id", REQUIRED),
                                            FIELD(LIST_OF_STRINGS, "user_ids", REQUIRED), END };
static const struct field save_form[] = { FIELD(STRING, "note_id", REQUIRED), FIELD(STRING, "user_id", REQUIRED),
                                          FIELD(OBJECT, "data", REQUIRED), END };

const struct route note_steps_routes[] = {
    { POST, "/internal/step/note_access", INTERNAL, get_access, .form = access_form, .hidden = true,
      .about = "Who may read and write a note" },
    { POST, "/internal/step/note_save", INTERNAL, save, .form = save_form, .hidden = true,
      .about = "Saves the contents of a note that is being edited" },
    END
};
