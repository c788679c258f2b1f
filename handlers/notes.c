/* notes.c: /api/v1/notes: the notes that somebody may write. */
#include "handlers/list_reply.h"
#include "handlers/routes.h"
#include "lib/auth/auth.h"
#include "lib/store/notes.h"
#include "lib/store/owners.h"

enum { PAGE = 60 };

/* 0: he may. The permission is of notes as such; the access of each is asked for each. */
static int admit(struct request *r, struct response *out)
{
    if (r->user->is_admin || auth_permission(r->mem, r->db, r->config, r->user, "features.notes"))
        return 0;
    return fail(out, 401, "401 Unauthorized");
}

static bool may_write(struct request *r, const struct note *note)
{
    return str_eq(note->user_id, r->user->id) || auth_access(r->mem, r->db, r->user->id, "write", note->access_control);
}

static int list(struct request *r, struct response *out)
{
    struct list_reply reply = list_start(r->mem);
    struct note *notes;
    struct owners owners;
    size_t all, n = 0;
    int refused = admit(r, out);

    if (refused)
        return refused;
    if (note_list(r->db, r->mem, true, &notes, &all) == DB_ERROR)
        return fail_db(out, r->db);
    for (size_t i = 0; i < all; i++)
        if (may_write(r, &notes[i]))
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
    int refused = admit(r, out);

    if (refused)
        return refused;
    if (note_list(r->db, r->mem, false, &notes, &n) == DB_ERROR)
        return fail_db(out, r->db);
    for (size_t i = 0; i < n && !(paged && seen >= skip + PAGE); i++)
        if (may_write(r, &notes[i]) && seen++ >= skip)
            note_json_title(list_item(&reply), &notes[i]);
    return list_end(&reply, out);
}

static const struct field page_query[] = { FIELD(INTEGER, "page", OPTIONAL), END };

const struct route notes_routes[] = { { GET, "/api/v1/notes/", VERIFIED, list, .about = "Notes the caller may write" },
                                      { GET, "/api/v1/notes/list", VERIFIED, list_titles, .query = page_query,
                                        .about = "Titles of the notes the caller may write" },
                                      END };
