/* notes.c: notes. */
#include "lib/store/notes.h"

#include "lib/store/row_json.h"

static void read_title(struct row *row, void *out) /* id, user_id, title, access_control, created_at, updated_at */
{
    struct note *note = out;

    note->id = row_str(row, 0);
    note->user_id = row_str(row, 1);
    note->title = row_str(row, 2);
    note->access_control = row_json(row, 3);
    note->created_at = row_int(row, 4);
    note->updated_at = row_int(row, 5);
}

static void read_note(struct row *row, void *out) /* the same, data, meta */
{
    struct note *note = out;

    read_title(row, out);
    note->data = row_json(row, 6);
    note->meta = row_json(row, 7);
}

enum db_status note_list(struct db *db, struct arena *mem, bool with_contents, struct note **out, size_t *n)
{
    if (with_contents)
        return db_all(db, mem, read_note, sizeof **out, out, n,
                      "SELECT id, user_id, title, access_control, created_at, updated_at, data, meta FROM note ORDER "
                      "BY updated_at DESC",
                      NO_ARGS);
    return db_all(
        db, mem, read_title, sizeof **out, out, n,
        "SELECT id, user_id, title, access_control, created_at, updated_at FROM note ORDER BY updated_at DESC",
        NO_ARGS);
}

void note_json_open(struct buf *b, const struct note *note)
{
    member_text(b, "{\"id\":", note->id);
    member_text(b, ",\"user_id\":", note->user_id);
    member_text(b, ",\"title\":", note->title);
    member_json(b, ",\"data\":", note->data);
    member_json(b, ",\"meta\":", note->meta);
    member_json(b, ",\"access_control\":", note->access_control);
    member_int(b, ",\"created_at\":", note->created_at);
    member_int(b, ",\"updated_at\":", note->updated_at);
}

void note_json_title(struct buf *b, const struct note *note)
{
    member_text(b, "{\"id\":", note->id);
    member_text(b, ",\"title\":", note->title);
    member_int(b, ",\"updated_at\":", note->updated_at);
    member_int(b, ",\"created_at\":", note->created_at);
    buf_add_char(b, '}');
}
