/* ydoc_edit.c: what a tab changes in a document, and what the others hear of it.
 *
 * The frontend lets everybody type, and sends on what it has heard from others as if it were its own. So an update that says nothing new goes no further,
 * and what a reader types is answered with an update that deletes it from his copy: the others never see it. While a document is empty, a reader's
 * copy is what he has read from the note; it goes when the first writer has filled the document. */
#include "lib/base/encode.h"
#include "lib/base/log.h"
#include "sidecar/sessions.h"
#include "sidecar/ydoc_internal.h"
#include "sidecar/ydoc_save.h"

enum { AWARENESS_BYTES = 64 * 1024, FOREIGN_RANGES = 1000 };

/* A list of numbers, or an attachment. */
static bool read_bytes(struct arena *mem, json_object *list, struct str *out)
{
    size_t n = json_length(list);
    char *p;

    if (json_is(list, json_type_object))
        return json_str(list, "_binary").p && base64_decode(mem, json_str(list, "_binary"), out);
    if (!json_is(list, json_type_array))
        return false;
    p = arena_alloc(mem, n + 1);
    for (size_t i = 0; i < n; i++) {
        json_object *item = json_at(list, i);
        int64_t v = json_is(item, json_type_int) ? json_object_get_int64(item) : -1;

        if (v < 0 || v > 255)
            return false;
        p[i] = (char)v;
    }
    *out = str_n(p, n);
    return true;
}

/* said: what the tab has sent; NULL: the update is ours. */
static void update_event(struct buf *b, const struct member *from, json_object *said, struct str update)
{
    ydoc_event_open(b, from, said);
    buf_add_c(b, ",\"update\":");
    ydoc_add_bytes(b, update);
    buf_addf(b, ",\"socket_id\":\"%s\"}", said ? from->session->sid : "");
}

/* ---- readers */

/* One update for a reader that has something of his own: the update comes, and that goes. */
static void tell_reader(struct member *m, const struct member *from, json_object *said, struct str update)
{
    struct arena *mem = arena_new(update.n * 2 + 4096);
    struct str both[2] = { update, yjs_deletion(mem, &m->foreign) }, out;
    struct buf b = BUF(mem, STR_NPOS);
    struct error err;
    size_t structs;

    if (yjs_merge(mem, both, 2, false, &out, &structs, &err) == OK) {
        update_event(&b, from, said, out);
        ydoc_tell(m, "ydoc:document:update", buf_str(&b));
    }
    yjs_ranges_free(&m->foreign);
    arena_free(mem);
}

static void reader_said(struct member *m, struct str update)
{
    struct error err;

    if (yjs_document_foreign(&m->note->document, update, &m->foreign, &err) != OK || m->foreign.n > FOREIGN_RANGES) {
        ydoc_tell_error(m->session, "The update cannot be read");
        ydoc_member_gone(m);
    } else if (m->foreign.n && !yjs_document_is_empty(&m->note->document)) {
        tell_reader(m, m, NULL, S("\0\0"));
    }
}

/* ---- writers */

static void tell_others(struct member *from, json_object *said, struct str update)
{
    struct note *note = from->note;
    struct buf b = BUF(NULL, STR_NPOS);
    struct packet *p;

    update_event(&b, from, said, update);
    p = event_packet(S("ydoc:document:update"), buf_str(&b));
    for (struct member *m = note->members; m; m = m->next) {
        if (!m->in_document || m == from)
            continue;
        yjs_ranges_subtract(&m->foreign, &note->document.known);
        if (m->foreign.n)
            tell_reader(m, from, said, update);
        else
            socketio_send(m->session, p);
    }
    packet_drop(p);
    buf_free(&b);
}

static enum status take(struct note *note, struct str update, bool *is_new, struct error *err)
{
    size_t before = yjs_document_bytes(&note->document);
    enum status st = ydoc_has_room() ? yjs_document_add(&note->document, update, is_new, err)
                                     : error_set(err, TOO_BIG, "all documents together are too large");

    ydoc_recount(before, yjs_document_bytes(&note->document));
    return st;
}

static void save(struct member *m, struct arena *mem, json_object *data)
{
    if (json_is(data, json_type_object) && json_object_object_length(data) > 0 &&
        !ydoc_save_later(str_of(m->note->id), str_of(m->session->user->id), json_text(mem, data)))
        log_error("too much waits to be saved: the text of note %s is not", m->note->id);
}

void ydoc_edit_update(struct member *m, struct arena *mem, json_object *data)
{
    struct str update;
    struct error err;
    bool is_new = false;
    enum status st;

    if (!read_bytes(mem, json_get(data, "update"), &update)) {
        ydoc_tell_error(m->session, "The update cannot be read");
        return;
    }
    if (m->access != WRITES) {
        reader_said(m, update);
        return;
    }
    st = take(m->note, update, &is_new, &err);
    if (st == INVALID) {
        ydoc_tell_error(m->session, "The update cannot be read");
        return;
    }
    if (st != OK) { /* without it, what comes next could not be placed */
        log_info("note %s: %s", m->note->id, err.text);
        ydoc_tell_error(m->session, "The document is too large");
        ydoc_member_gone(m);
        return;
    }
    if (is_new)
        tell_others(m, data, update);
    save(m, mem, json_get(data, "data"));
}

void ydoc_edit_awareness(struct member *m, struct arena *mem, json_object *data)
{
    struct buf b = BUF(mem, STR_NPOS);
    struct str update;

    if (!read_bytes(mem, json_get(data, "update"), &update) || update.n > AWARENESS_BYTES)
        return;
    ydoc_event_open(&b, m, data);
    buf_add_c(&b, ",\"update\":");
    ydoc_add_bytes(&b, update);
    buf_add_char(&b, '}');
    ydoc_emit(m->note, m, "ydoc:awareness:update", buf_str(&b));
}
